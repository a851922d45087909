// The operations of the API's own description, with schemas that stand by themselves.
import type { RequestSchema } from './arbitraries.ts'

export interface Operation {
  method: string
  /** With `{name}` where a parameter stands. */
  path: string
  parameters: { path: RequestSchema; query: RequestSchema }
  /** Undefined where nothing is taken. */
  body: { type: string; schema: RequestSchema } | undefined
  /** The schema of the response, by `200`, `4XX` and `5XX`. */
  replies: Readonly<Record<string, object>>
}

interface Media {
  content?: Record<string, { schema: RequestSchema }>
}
interface Described {
  operationId?: string
  parameters?: { name: string; in: string; required?: boolean; schema: RequestSchema }[]
  requestBody?: Media
  responses: Record<string, Media | { $ref: string }>
}
export interface ApiDocument {
  paths: Record<string, Record<string, Described>>
  components: object
}

/** Pages are never refused, which the description does not say in a way that a machine could read. */
const CLAMPED = new Set(['page', 'size'])

/** `document` is the response of `/v3/api-docs`. */
export function operationsOf(document: ApiDocument): Operation[] {
  const resolve = resolver(document)
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, described]) => {
      const [body] = Object.entries(described.requestBody?.content ?? {})
      return {
        method: method.toUpperCase(),
        path,
        parameters: {
          path: resolve(parametersOf(described, 'path')) as RequestSchema,
          query: resolve(parametersOf(described, 'query')) as RequestSchema,
        },
        body: body && { type: body[0], schema: resolve(body[1].schema) as RequestSchema },
        replies: Object.fromEntries(
          Object.entries(described.responses).map(([status, response]) => [
            status,
            resolve((resolve(response) as Media).content?.['application/json']?.schema ?? {}) as object,
          ]),
        ),
      }
    }),
  )
}

function parametersOf({ parameters = [] }: Described, place: string): RequestSchema {
  const placed = parameters.filter((parameter) => parameter.in === place)
  return {
    type: 'object',
    properties: Object.fromEntries(
      placed.map(({ name, schema }) => [name, CLAMPED.has(name) ? { ...schema, 'x-clamp': true } : schema]),
    ),
    required: placed.filter(({ required }) => required).map(({ name }) => name),
  }
}

/** Neither our requests nor our responses hold circles, so every reference can be written out. */
function resolver(document: ApiDocument) {
  const at = (pointer: string) =>
    pointer
      .split('/')
      .slice(1)
      .reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], document)
  const resolve = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(resolve)
    if (typeof node !== 'object' || node === null) return node
    if ('$ref' in node && typeof node.$ref === 'string') return resolve(at(node.$ref))
    return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, resolve(value)]))
  }
  return resolve
}

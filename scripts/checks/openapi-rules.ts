// What the API's description has to be beside valid, so that generators make usable clients of it. Each rule is for a kind that broke one.
// Pure.

interface Schema {
  $ref?: string
  title?: string
  type?: string | string[]
  format?: string
  anyOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  patternProperties?: Record<string, Schema>
  enum?: unknown[]
  pattern?: string
  maxLength?: number
  description?: string
  default?: unknown
  examples?: unknown[]
}
interface Body {
  $ref?: string
  description?: string
  content?: Record<string, { schema?: Schema }>
}
interface Operation {
  security?: object[]
  parameters?: { name: string; in: string; schema?: Schema }[]
  requestBody?: Body
  responses?: Record<string, Body>
}
export interface ApiDescription {
  paths?: Record<string, Record<string, Operation>>
  components?: { schemas?: Record<string, Schema>; responses?: Record<string, Body> }
}

/** One line for each problem: where it is, and what is required. */
export function findUnusable(description: ApiDescription): string[] {
  const { paths = {}, components: { schemas = {}, responses = {} } = {} } = description
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => [`${method} ${path}`, operation] as const),
  )
  return [
    ...operations.flatMap(([where, operation]) => ofOperation(where, operation, schemas)),
    ...Object.entries(responses).flatMap(([name, response]) => ofBody(`response ${name}`, response, schemas)),
    ...Object.entries(schemas).flatMap(([name, schema]) => ofSchema(name, schema, { isComponent: true })),
  ]
}

function ofOperation(
  where: string,
  { security = [], parameters = [], requestBody, responses = {} }: Operation,
  schemas: Record<string, Schema>,
): string[] {
  const schemes = security.flatMap((each) => Object.keys(each))
  return [
    // A client that is given one text may apply both, and the last one stays.
    ...(schemes.length > 0 && schemes.at(-1) !== 'bearer' ? [`${where}: bearer is the last scheme`] : []),
    ...parameters.flatMap(({ name, schema = {} }) => [
      ...ofSchema(`${where} ${name}`, schema),
      ...(isBounded(schema) || UNBOUNDED.has(name) ? [] : [`${where} ${name}: a text has its bounds`]),
    ]),
    ...(requestBody ? ofBody(`${where} request`, requestBody, schemas) : []),
    ...Object.entries(responses).flatMap(([status, response]) => {
      const place = `${where} ${status}`
      if (status === '200') return ofBody(place, response, schemas)
      return response.$ref === undefined ? [`${place}: a response that operations share is a component`] : []
    }),
  ]
}

/** A preference may have members of its own, RFC 7240. */
const UNBOUNDED: ReadonlySet<string> = new Set(['prefer'])

const isBounded = ({ type, $ref, format, pattern, maxLength }: Schema) =>
  type !== 'string' || [$ref, format, pattern, maxLength].some((bound) => bound !== undefined)

function ofBody(where: string, { description, content = {} }: Body, schemas: Record<string, Schema>): string[] {
  const isSaid = description === undefined ? where.endsWith(' request') : description !== 'Default Response'
  return [
    ...(isSaid ? [] : [`${where}: a sentence says what it means`]),
    ...Object.values(content).flatMap(({ schema = {} }) => {
      if (schema.format === 'binary') return []
      const name = schema.$ref?.split('/').at(-1) ?? ''
      // A generator would name it after the operation, as another component may be named.
      return schemas[name]?.title === name ? [] : [`${where}: a body is a component with a title`]
    }),
  ]
}

function ofSchema(where: string, schema: Schema, { isComponent = false } = {}): string[] {
  const { type, anyOf = [], items, properties = {}, patternProperties = {} } = schema
  const words = schema.enum ?? []
  return [
    ...(type === 'null' ? [`${where}: null is one of several alternatives`] : []),
    ...(words.length > 1 && !isComponent ? [`${where}: an enumeration is a component`] : []),
    ...anyOf.flatMap((kind) => ofAlternative(where, kind)),
    ...(items ? ofSchema(`${where}[]`, items) : []),
    ...Object.entries({ ...properties, ...patternProperties }).flatMap(([name, member]) => [
      ...ofSchema(`${where}.${name}`, member),
      ...(isPlainTime(name, member) ? [`${where}.${name}: a time has the format date-time`] : []),
    ]),
  ]
}

function ofAlternative(where: string, kind: Schema): string[] {
  if (kind.type === 'null') return []
  const isSaidInside = [kind.description, kind.default, kind.examples].some((said) => said !== undefined)
  return [
    // Generators read them beside the alternatives alone.
    ...(isSaidInside ? [`${where}: description, default and examples stand beside anyOf`] : []),
    ...ofSchema(where, kind),
  ]
}

const TIME_NAME = /^(?:timestamp|sendAt$|validUntil$|buildTime$)/

const isPlainTime = (name: string, schema: Schema) =>
  TIME_NAME.test(name) &&
  (schema.anyOf ?? [schema]).some(({ type, format }) => type === 'string' && format !== 'date-time')

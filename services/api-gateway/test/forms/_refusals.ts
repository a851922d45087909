// What is wrong with a request, derived from a call that succeeds and from the description of its operation. Pure.
import { defectsOf, type Operation } from '@push-server/testing'
import type { Call } from './_calls.ts'

export interface Refusal {
  what: string
  method: string
  /** With its query. */
  url: string
  headers: Record<string, string>
  body: string | undefined
  /** Undefined where the request may be carried out: an id that nobody has is no error everywhere. */
  status: number | undefined
}

export interface Limits {
  /** Bytes of a body that no operation takes. */
  tooLarge: number
}

const JSON_HEADERS = { 'content-type': 'application/json' }
/** Ids of campaigns: of none, below all, no number, beyond a number, no text. */
const IDS: [id: string, status: number | undefined][] = [
  ['999999999', undefined],
  ['-1', undefined],
  ['ten', 400],
  ['99999999999999999999', undefined],
  ['%E0%A4', 400],
]

export function urlOf({ path, id = '', query = {} }: Call): string {
  const search = new URLSearchParams(query).toString()
  return path.replace('{id}', id) + (search === '' ? '' : `?${search}`)
}

export const bodyOf = ({ object, bare = false }: Call): string | undefined =>
  object === undefined ? undefined : JSON.stringify(bare ? object : { requestObject: object })

export function refusalsOf(call: Call, operation: Operation, limits: Limits): Refusal[] {
  const { method } = call
  const body = bodyOf(call)
  const plain = { method, url: urlOf(call), headers: body === undefined ? {} : JSON_HEADERS, body }
  return [
    ...refusedPaths(call, plain),
    ...refusedQueries(call, operation, plain),
    ...(operation.body && body !== undefined ? refusedBodies(operation.body, { ...plain, body }, limits) : []),
  ]
}

type Plain = Omit<Refusal, 'what' | 'status'>

function refusedPaths(call: Call, plain: Plain): Refusal[] {
  const ids = call.id === undefined ? [] : IDS
  return [
    { ...plain, what: 'another method', method: 'PATCH', status: 405 },
    { ...plain, what: 'nothing there', url: `${urlOf({ ...call, query: {} })}/no/such/path`, status: 404 },
    ...ids.map(([id, status]) => ({ ...plain, what: `id ${id}`, url: urlOf({ ...call, id }), status })),
    ...(call.id === undefined
      ? []
      : [
          {
            ...plain,
            what: 'a part of too many characters',
            url: urlOf({ ...call, id: '1'.repeat(200) }),
            status: undefined,
          },
        ]),
  ]
}

/** Each parameter wrong in each way of its schema, or left out; of an application that nobody has. */
function refusedQueries({ query = {}, ...call }: Call, { parameters }: Operation, plain: Plain): Refusal[] {
  const wrong = defectsOf(parameters.query).flatMap(({ what, apply }) => {
    const applied = apply(query)
    if (typeof applied !== 'object' || applied === null || Array.isArray(applied)) return []
    const texts = Object.entries(applied).filter(([, value]) => typeof value === 'string')
    return [{ what: `query ${what}`, query: Object.fromEntries(texts) as Record<string, string> }]
  })
  const unknown = ['appId', 'applications', 'id', 'messageId']
    .filter((name) => name in query)
    .flatMap((name) =>
      ['nowhere', '', ' '].map((value) => ({ what: `query ${name} "${value}"`, query: { ...query, [name]: value } })),
    )
  return [...wrong, ...unknown].map(({ what, query }) => ({
    ...plain,
    what,
    url: urlOf({ ...call, query }),
    status: undefined,
  }))
}

function refusedBodies(
  { type, schema }: NonNullable<Operation['body']>,
  plain: Plain & { body: string },
  { tooLarge }: Limits,
): Refusal[] {
  const object: unknown = JSON.parse(plain.body)
  const say = (what: string, value: unknown, status?: number): Refusal => ({
    ...plain,
    what,
    body: typeof value === 'string' ? value : JSON.stringify(value),
    status,
  })
  return [
    ...defectsOf(schema).map(({ what, apply }) => say(what, apply(object), 400)),
    say('no object', { requestObject: null }, undefined),
    say('empty object', { requestObject: {} }, 400),
    ...emptied(object).map(([what, value]) => say(what, value)),
    say('no JSON', '{', 400),
    say('nothing', '', 400),
    say('half a character', '{"a":"\ud800"}', undefined),
    say('too large', JSON.stringify({ requestObject: 'x'.repeat(tooLarge) }), 413),
    { ...plain, what: 'another type', headers: { 'content-type': 'text/plain' }, status: 415 },
    { ...plain, what: 'compressed', headers: { ...plain.headers, 'content-encoding': 'gzip' }, status: 415 },
    {
      // The callback of PowerAuth Server may have members of its own.
      ...say('a stray member, strictly', withStray(object), plain.url.startsWith('/push/device/status') ? 200 : 400),
      headers: { 'content-type': type, prefer: 'handling=strict' },
    },
  ]
}

/** Each text within the object empty, blank, and of what nobody has. */
function emptied(body: unknown): [what: string, body: unknown][] {
  const { requestObject } = body as { requestObject?: unknown }
  if (typeof requestObject !== 'object' || requestObject === null || Array.isArray(requestObject)) return []
  return Object.entries(requestObject)
    .filter(([, value]) => typeof value === 'string')
    .flatMap(([name]) =>
      ['', ' ', 'nowhere'].map((text): [string, unknown] => [
        `${name} "${text}"`,
        { requestObject: { ...requestObject, [name]: text } },
      ]),
    )
}

function withStray(body: unknown): unknown {
  const { requestObject, ...bare } = body as { requestObject?: unknown }
  if (requestObject === undefined) return { ...bare, stray: 1 }
  return Array.isArray(requestObject) ? { requestObject, stray: 1 } : { requestObject: { ...requestObject, stray: 1 } }
}

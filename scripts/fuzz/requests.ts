// Requests for a fuzzed server: valid ones, ones with one defect, mangled ones, and plain rubbish. Pure.
import fc, { type Arbitrary } from 'fast-check'
import { bodyOf, defectsOf, valid, type KnownValues, type Operation } from '../../packages/testing/src/index.ts'

export interface FuzzRequest {
  method: string
  /** As it goes over the wire: printable ASCII. */
  path: string
  headers: Readonly<Record<string, string>>
  body: string | undefined
}

const DEMO = 'mobile-app'
/** What would leave the rest of the run with nothing to send to. */
const ENDS_THE_DEMO = /remove$|^\/admin\/app\/(apns|fcm|hms)$|update$/

const word = fc.string({ minLength: 1, maxLength: 20 })
const known: KnownValues = {
  appId: fc.constantFrom(DEMO, DEMO, 'mobile-app-other', 'nowhere'),
  applications: fc.oneof(fc.constant([DEMO]), fc.array(word, { maxLength: 3 })),
  userId: fc.oneof(fc.constantFrom('user-1', '123'), word),
  token: fc.stringMatching(/^[0-9a-f]{8,64}$/),
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND', 'PURGE']
const TYPES = ['application/json', 'application/json; charset=utf-8', 'application/x-ndjson', 'text/plain', 'json', ';']
const HEADERS = [
  'authorization',
  'accept',
  'x-correlation-id',
  'idempotency-key',
  'content-encoding',
  'sec-fetch-site',
  'origin',
  'prefer',
  'x-push-compatibility',
  'x-forwarded-prefix',
  'traceparent',
  'b3',
]
const RUBBISH = [
  '',
  '{',
  'null',
  '[]',
  '"x"',
  '{"requestObject":',
  '\u0000',
  '1e999',
  '[[[[[[',
  '{"__proto__":{"a":1}}',
]

const headerText = fc.stringMatching(/^[!-~]{1,40}$/)
const oddHeaders = fc.dictionary(fc.constantFrom(...HEADERS), headerText, { maxKeys: 2 })
const oddPath = fc.oneof(
  fc.stringMatching(/^\/[!-"$-~]{0,60}$/),
  fc.constantFrom(
    '//',
    '/%',
    '/%00',
    '/push/%zz',
    '/push/../admin/app/list',
    '/push/message/;x',
    '/?',
    '/admin/queues/..%2f',
  ),
)
const oddBody = fc.oneof(
  fc.constantFrom(...RUBBISH),
  fc.json(),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.nat(300).map((depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
)

/** Of the operations that the API describes, or beside all of them. */
export const fuzzRequests = (operations: readonly Operation[]): Arbitrary<FuzzRequest> =>
  fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...operations).chain(requestTo) },
    {
      weight: 2,
      arbitrary: fc
        .constantFrom(...operations)
        .chain(requestTo)
        .chain(mangled),
    },
    { weight: 1, arbitrary: rubbish },
  )

const rubbish: Arbitrary<FuzzRequest> = fc.record({
  method: fc.constantFrom(...METHODS),
  path: oddPath,
  headers: fc
    .tuple(fc.constantFrom(...TYPES), oddHeaders)
    .map(([type, headers]) => ({ ...headers, 'content-type': type })),
  body: fc.option(oddBody, { nil: undefined }),
})

function requestTo({ method, path, parameters, body }: Operation): Arbitrary<FuzzRequest> {
  const right = fc.record({
    places: valid(parameters.path, path.includes('/campaign/') ? { id: fc.integer({ min: 1, max: 200 }) } : {}),
    query: valid(parameters.query, { ...known, applications: fc.constantFrom(DEMO, 'nowhere') }),
    object: body ? broken(body.schema) : fc.constant(undefined),
  }) as Arbitrary<{ places: Record<string, unknown>; query: Record<string, unknown>; object: unknown }>
  return right.map(({ places, query, object }): FuzzRequest => {
    const texts = Object.entries(query).map(([name, value]): [string, string] => [name, String(value)])
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(places[name])))
    const request: FuzzRequest = {
      method,
      path: texts.length > 0 ? `${filled}?${new URLSearchParams(texts).toString()}` : filled,
      headers: body ? { 'content-type': body.type } : {},
      body: body && bodyOf(body.schema, object),
    }
    return ENDS_THE_DEMO.test(path) && path.startsWith('/admin') ? elsewhere(request) : request
  })
}

/** One in three has one defect. */
function broken(schema: Parameters<typeof valid>[0]): Arbitrary<unknown> {
  const right = valid(schema, known)
  const defects = defectsOf(schema)
  if (defects.length === 0) return right
  const wrong = fc.tuple(right, fc.constantFrom(...defects)).map(([value, { apply }]) => apply(value))
  return fc.oneof({ weight: 2, arbitrary: right }, { weight: 1, arbitrary: wrong })
}

const elsewhere = (request: FuzzRequest): FuzzRequest => ({
  ...request,
  path: request.path.replaceAll(`appId=${DEMO}`, 'appId=mobile-app-other'),
  body: request.body?.replaceAll(`"${DEMO}"`, '"mobile-app-other"'),
})

/** Another method, a truncated body, a part of it doubled, a type that does not fit, odd headers. */
const mangled = (request: FuzzRequest): Arbitrary<FuzzRequest> =>
  fc.oneof(
    fc.constantFrom(...METHODS).map((method) => ({ ...request, method })),
    fc.constantFrom(...TYPES).map((type) => ({ ...request, headers: { ...request.headers, 'content-type': type } })),
    oddHeaders.map((headers) => ({ ...request, headers: { ...request.headers, ...headers } })),
    fc.nat(100).map((percent) => ({ ...request, body: disconnect(request.body ?? '', percent) })),
    fc
      .nat(100)
      .map((percent) => ({ ...request, body: `${disconnect(request.body ?? '', percent)}${request.body ?? ''}` })),
    oddBody.map((body) => ({ ...request, body })),
  )

const disconnect = (text: string, percent: number) => text.slice(0, Math.floor((text.length * percent) / 100))

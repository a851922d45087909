// Every operation that the API's description knows, with random requests: a valid one is never an internal error, one with a defect is
// always refused in the documented way and changes nothing. PROPERTY_SEED runs the same again.
import { randomInt, randomUUID } from 'node:crypto'
import fc, { type Arbitrary } from 'fast-check'
import t from 'tap'
import { Compile } from 'typebox/schema'
import { ERROR_STATUS } from '@push-server/contract'
import {
  bodyOf,
  defectsOf,
  operationsOf,
  valid,
  type Response,
  type KnownValues,
  type Operation,
} from '@push-server/testing'
import { APP, newToken, openGateway, PRIMITIVES } from './_gateway.ts'

const RIGHT_RUNS = 12
const seed = Number(process.env.PROPERTY_SEED ?? randomInt(2 ** 31))
t.comment(`PROPERTY_SEED=${seed}`)

const gateway = await openGateway()
t.teardown(() => gateway.stack.close())
const { api, database, stack } = gateway
const operations = operationsOf((await api.get('/v3/api-docs')).body)

/** Half of the ids lead somewhere. */
const or = (value: unknown, other: Arbitrary<unknown>) => fc.oneof(fc.constant(value), other)
const word = fc.string({ minLength: 1, maxLength: 20 })
const userId = 'somebody'
const known: KnownValues = {
  appId: or(APP, word),
  applications: or([APP], fc.array(word, { minLength: 1, maxLength: 3 })),
  userId: or(userId, word),
  token: fc.oneof(fc.stringMatching(/^[0-9a-f]{2,64}$/), word),
}

interface Request {
  path: Record<string, unknown>
  query: Record<string, unknown>
  body: unknown
}

const requestsOf = ({ path, parameters, body }: Operation) =>
  fc.record({
    path: valid(parameters.path, path.includes('/campaign/') ? { id: or('1', fc.nat().map(String)) } : {}),
    query: valid(parameters.query, { ...known, applications: or(APP, word) }),
    body: body ? valid(body.schema, known) : fc.constant(undefined),
  }) as Arbitrary<Request>

/** In a path a dot alone would be a way up. */
const encode = (value: unknown) => encodeURIComponent(String(value)).replaceAll('.', '%2E')

async function send(
  { method, path, body: described }: Operation,
  { path: places, query, body }: Request,
): Promise<Response> {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encode(places[name]))
  const texts = Object.entries(query).map(([name, value]): [string, string] => [name, String(value)])
  const url = `${filled}?${new URLSearchParams(texts).toString()}`
  if (!described) return api.call(method, url)
  return api.call(method, url, {
    body: bodyOf(described.schema, body) ?? '',
    headers: { 'content-type': described.type },
  })
}

const checks = new Map<object, ReturnType<typeof Compile>>()
function fitsItsSchema({ replies }: Operation, { status, body }: Response): boolean {
  const schema = replies[status === 200 ? '200' : '4XX'] ?? { not: {} }
  const check = checks.get(schema) ?? Compile(schema)
  checks.set(schema, check)
  return check.Check(body)
}

/** Paths of members that the Java client of 2.2 reads into primitives, and that are null. */
function nullsOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) =>
    member === null && PRIMITIVES.has(name) ? [`${path}.${name}`] : nullsOf(member, `${path}.${name}`),
  )
}

/** Of the catalogue, with the status that it has there; a wrong content type is recognized by its status alone. */
function isRefusal({ status, body }: Response): boolean {
  const code = body.responseObject?.code as keyof typeof ERROR_STATUS
  return status >= 400 && status < 500 && body.status === 'ERROR' && ERROR_STATUS[code] === status
}

/** All tables with all they hold. */
async function contents(): Promise<unknown[]> {
  const tables = await database.query<{ name: string }>(
    "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
  )
  const sums = tables.map(
    ({ name }) =>
      `SELECT '${name}' AS name, count(*)::int, md5(coalesce(string_agg(r::text, '|' ORDER BY r::text), '')) AS sum FROM ${name} r`,
  )
  return database.query(sums.join(' UNION ALL '))
}

async function furnish(): Promise<void> {
  if (!(await stack.context.store.applications.find(APP))) await stack.configure(APP)
  await stack.register({ userId, token: newToken(), activationId: randomUUID() })
  await api.post('/push/campaign/create', { appId: APP, message: { title: 'Hello' } })
}

const reported = (operation: Operation, request: Request, { status, body }: Response) =>
  `${operation.method} ${operation.path} ${JSON.stringify(request)}: ${status} ${JSON.stringify(body)}`

t.test('valid requests: OK as described, or refused as documented', async (t) => {
  for (const operation of operations) {
    await furnish()
    const property = fc.asyncProperty(requestsOf(operation), async (request) => {
      const response = await send(operation, request)
      const isExpected = (response.status === 200 || isRefusal(response)) && fitsItsSchema(operation, response)
      if (isExpected && nullsOf(response.body).length === 0) return
      throw new Error(reported(operation, request, response))
    })
    await t.resolves(
      fc.assert(property, { seed, numRuns: RIGHT_RUNS, interruptAfterTimeLimit: 20_000 }),
      `${operation.method} ${operation.path}`,
    )
  }
})

t.test('one defect: always refused as documented, and nothing is changed', async (t) => {
  let tried = 0
  for (const operation of operations) {
    const defects = wrongRequestsOf(operation)
    tried += defects.length
    if (defects.length === 0) continue
    await furnish()
    const before = await contents()
    const requests = fc.sample(requestsOf(operation), { seed, numRuns: defects.length })
    const accepted: string[] = []
    for (const [index, { what, apply }] of defects.entries()) {
      const { [index]: right = { path: {}, query: {}, body: undefined } } = requests
      const request = apply(right)
      const response = await send(operation, request)
      if (!isRefusal(response) || !fitsItsSchema(operation, response))
        accepted.push(`${what}: ${reported(operation, request, response)}`)
    }
    t.same(accepted, [], `${operation.method} ${operation.path}: ${defects.length} defects`)
    t.same(await contents(), before, `${operation.method} ${operation.path} changes nothing`)
  }
  t.ok(tried > 1000, `${tried} requests with a defect`)
})

t.test('no response disclosed anything internal, and each had an id', async (t) => t.same(api.leaks, []))

interface WrongRequest {
  what: string
  apply(right: Request): Request
}

/** In a query everything is a text, so only what is wrong as a text counts. */
function wrongRequestsOf({ parameters, body }: Operation): WrongRequest[] {
  const inQuery = defectsOf(parameters.query).map(({ what, apply }): WrongRequest => ({
    what: `query ${what}`,
    apply: (right) => ({ ...right, query: apply(right.query) as Request['query'] }),
  }))
  const inBody = defectsOf(body?.schema ?? {}).map(({ what, apply }): WrongRequest => ({
    what: `body ${what}`,
    apply: (right) => ({ ...right, body: apply(right.body) }),
  }))
  const texts = inQuery.filter(({ what }) => / (left out|too long|no such literal|empty|a word)$/.test(what))
  return [...texts, ...inBody]
}

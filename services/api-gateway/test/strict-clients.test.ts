// Every response of every operation that the reference server has, good and bad, in each form and however the form is chosen, read by a
// client that takes no member that it does not know and no value of another type. It walks the route list: whoever adds an operation says
// whether the reference server has it, and calls it here if so.
import { randomBytes, randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { FORMS, VERSION_RESPONSES, type Form } from '@push-server/contract'
import {
  createApi,
  makeApiKey,
  openTestStack,
  operationsOf,
  type ApiDocument,
  type Operation,
  type Response,
  type TestStack,
} from '@push-server/testing'
import { APP } from './_gateway.ts'
import { bodyOf, refusalsOf, urlOf, type Refusal } from './forms/_refusals.ts'
import { callEverything, nameOf, type Act, type Call } from './forms/_calls.ts'
import {
  ASYNCHRONOUS_RESPONSES,
  DOCUMENT_NAMES,
  ERROR,
  LISTED_ERROR,
  LISTING,
  OURS,
  responsesIn,
  VERSION_FORMS,
  type Expected,
} from './forms/_models.ts'
import { flaws, nullPrimitives, schemaFlaws } from './forms/_strict-reader.ts'

const PREFIX = '/powerauth-push-server'
const KEY = `strict.${randomBytes(32).toString('hex')}`
const AUTHORIZATION = { authorization: `Bearer ${KEY}` }

/** More than the longest text that any member takes. */
const BODY_LIMIT = 128 * 1024

/** How a client comes to a form. */
interface Way {
  name: string
  stack: TestStack
  base: string
  headers: Record<string, string>
  form: Form
  /** With every refusal that can be derived, which takes a while. */
  isThorough: boolean
}

async function openStack(compatibility: Form, rootCompatibility: Form): Promise<TestStack> {
  const stack = await openTestStack({
    services: ['gateway'],
    powerAuth: true,
    environment: {
      SYNC_TIMEOUT: '50ms',
      BODY_LIMIT: String(BODY_LIMIT),
      CAMPAIGN_BODY_LIMIT: String(BODY_LIMIT),
      API_KEY_BOOTSTRAP: KEY,
      TRUST_PROXY: 'loopback',
      COMPATIBILITY: compatibility,
      ROOT_COMPATIBILITY: rootCompatibility,
    },
  })
  t.teardown(() => stack.close())
  await stack.configure(APP, ['ios', 'android', 'huawei'])
  for (const name of [APP, 'unconfigured', 'another']) stack.simulator.powerAuth.addApplication(name)
  return stack
}

/** Below the prefix, under the root, and by a header that both disagree with. */
async function openWays(): Promise<Way[]> {
  const ways: Way[] = []
  for (const [index, form] of FORMS.entries()) {
    const other = FORMS[(index + 1) % FORMS.length] ?? 'all'
    const third = FORMS[(index + 2) % FORMS.length] ?? 'all'
    const stack = await openStack(form, other)
    ways.push(
      { name: `${form} by COMPATIBILITY`, stack, base: PREFIX, headers: {}, form, isThorough: form === '1.9' },
      {
        name: `${other} by ROOT_COMPATIBILITY`,
        stack,
        base: '',
        headers: {},
        form: other,
        isThorough: other === 'all',
      },
      ...[PREFIX, ''].map((base) => ({
        name: `${third} by header under ${base}/`,
        stack,
        base,
        headers: { 'x-push-compatibility': third },
        form: third,
        isThorough: third === '1.10' && base === '',
      })),
    )
  }
  return ways
}

const ways = await openWays()
const [first] = ways
if (!first) throw new Error('There is no way to a form')
const documentIn = async (form: Form) =>
  (await createApi(first.stack.api.url, { 'x-push-compatibility': form }).get('/v3/api-docs')).body
const documents = new Map<Form, ApiDocument>()
for (const form of FORMS) documents.set(form, await documentIn(form))
const described = new Map(
  [...documents].map(([form, document]) => [
    form,
    new Map(operationsOf(document).map((operation) => [`${operation.method} ${operation.path}`, operation])),
  ]),
)
const operationOf = (name: string, form: Form = 'all'): Operation => {
  const operation = described.get(form)?.get(name)
  if (!operation) throw new Error(`The API has no ${name}`)
  return operation
}

const models = new Map<Form, Record<string, Expected>>(
  VERSION_FORMS.map((form) => {
    const own = responsesIn(form)
    const aliases = Object.entries(DOCUMENT_NAMES).flatMap(([name, sibling]) => {
      const response = own[sibling]
      return response === undefined ? [] : [[name, response] as const]
    })
    return [form, { ...own, ...Object.fromEntries(aliases) }]
  }),
)

/** What a strict client of the form finds wrong with a success. */
function successFlaws(form: Form, call: Call, body: unknown): string[] {
  const expected = models.get(form)?.[nameOf(call)]
  const fromDescription = schemaFlaws(body, operationOf(nameOf(call), form).replies['200'] ?? { not: {} }).filter(
    // An id that no number can say exactly is a text; no campaign has one.
    (flaw) => flaw !== '/responseObject/campaignId: must be integer',
  )
  if (!expected) return [...fromDescription, ...nullPrimitives(body)]
  const { mode } = (call.object ?? {}) as { mode?: string | null }
  const isAsynchronous = call.path.endsWith('/send') && (mode === null || mode === 'ASYNCHRONOUS')
  return [...flaws(body, isAsynchronous ? ASYNCHRONOUS_RESPONSES[mode ?? 'null'] : expected), ...fromDescription]
}

/** And with an error. */
function errorFlaws(
  form: Form,
  name: string,
  { headers, body }: { headers: Record<string, string>; body: unknown },
): string[] {
  const fromDescription = schemaFlaws(body, operationOf(name, form).replies['4XX'] ?? { not: {} })
  if (form === 'all') return fromDescription
  return [
    ...flaws(body, LISTING.has(name) || headers['prefer'] !== undefined ? LISTED_ERROR : ERROR),
    ...fromDescription,
  ]
}

async function send(way: Way, request: Pick<Refusal, 'method' | 'url' | 'headers' | 'body'>): Promise<Response> {
  const headers = { ...AUTHORIZATION, ...way.headers, ...request.headers }
  const response = await fetch(way.stack.api.url + way.base + request.url, {
    method: request.method,
    headers,
    body: request.body ?? null,
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text.startsWith('{') ? JSON.parse(text) : text }
}

/** Sends what the script says and reads what comes back; `seen` gets each operation's last call. */
const actorOf =
  (t: Test, way: Way, seen: Map<string, Call>): Act =>
  async (call) => {
    const body = bodyOf(call)
    const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
    const response = await send(way, { method: call.method, url: urlOf(call), headers, body })
    t.equal(response.status, 200, `${nameOf(call)}: ${JSON.stringify(response.body)}`)
    t.same(successFlaws(way.form, call, response.body), [], nameOf(call))
    t.match(response.headers.get('content-type'), /^application\/json/, nameOf(call))
    seen.set(nameOf(call), call)
    return response.body.responseObject
  }

const activationIn =
  ({ stack }: Way) =>
  (userId: string) => {
    const activationId = randomUUID()
    stack.simulator.powerAuth.addActivation({ activationId, userId, applicationId: APP })
    return activationId
  }

const REFERENCE = [...Object.keys(responsesIn('1.10')), ...Object.keys(DOCUMENT_NAMES)]

t.test('every operation of the route list is the reference server’s or ours alone', async (t) => {
  for (const form of FORMS)
    t.same([...(described.get(form)?.keys() ?? [])].toSorted(), [...REFERENCE, ...OURS].toSorted(), form)
  const ids = REFERENCE.map((name) => {
    const [method = '', path = ''] = name.split(' ')
    return documents.get('all')?.paths[path]?.[method.toLowerCase()]?.operationId ?? ''
  })
  // Where two methods share a route, one of them has its id.
  for (const form of VERSION_FORMS)
    t.same(
      Object.keys(VERSION_RESPONSES[form]).filter((id) => !ids.includes(id)),
      [],
      'what has a form of its own is an operation of the reference server',
    )
})

for (const way of ways)
  t.test(way.name, async (t) => {
    const seen = new Map<string, Call>()
    await t.test('successes', async (t) => {
      await callEverything(actorOf(t, way, seen), activationIn(way))
      t.same(
        REFERENCE.filter((name) => !seen.has(name)),
        [],
        'every operation is called',
      )
    })
    await t.test('refusals', (t) => refuseEverything(t, way, seen))
    await t.test('without a key, and with one of another scope', (t) => keepOut(t, way, seen))
  })

async function refuseEverything(t: Test, way: Way, seen: ReadonlyMap<string, Call>): Promise<void> {
  for (const [name, call] of seen) {
    const problems: string[] = []
    for (const refusal of chosen(refusalsOf(call, operationOf(name), { tooLarge: BODY_LIMIT }), way)) {
      const response = await send(way, refusal)
      const { status, body } = response
      const found =
        status === 200 ? successFlaws(way.form, call, body) : errorFlaws(way.form, name, { ...refusal, body })
      const statuses = refusal.status === undefined ? [200, 400, 414] : [refusal.status]
      if (!statuses.includes(status)) found.push(`status ${status}: ${JSON.stringify(body)}`)
      if (way.form !== 'all' && isUnexplained(body)) found.push(`names no field: ${JSON.stringify(body)}`)
      problems.push(...found.map((flaw) => `${refusal.what}: ${flaw}`))
    }
    t.same(problems, [], name)
  }
}

/** All of them in one way to each form; in the other ways one of each status. */
const chosen = (refusals: readonly Refusal[], { isThorough }: Way): Refusal[] =>
  isThorough ? [...refusals] : [...new Map(refusals.map((refusal) => [refusal.status, refusal])).values()]

/** A client that gets no list has the first field in the message. */
const isUnexplained = ({ responseObject }: Response['body']) =>
  responseObject?.message === 'Invalid method parameter value' && responseObject.violations === undefined

let callers = 0
async function keepOut(t: Test, way: Way, seen: ReadonlyMap<string, Call>): Promise<void> {
  const metrics = await makeApiKey(way.stack.context, { scopes: ['metrics'] })
  for (const [name, call] of seen) {
    if (name === 'GET /push/service/status') continue
    const body = bodyOf(call)
    for (const [authorization, status, code] of [
      ['', 401, 'ERROR_UNAUTHORIZED'],
      [`Bearer ${metrics}`, 403, 'ERROR_FORBIDDEN'],
    ] as const) {
      const address = `2001:db8:0:${(++callers).toString(16)}::1`
      const headers = {
        authorization,
        'x-forwarded-for': address,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      }
      const response = await send(way, { method: call.method, url: urlOf(call), headers, body })
      t.same([response.status, response.body.responseObject.code], [status, code], name)
      t.same(errorFlaws(way.form, name, { headers: {}, body: response.body }), [], name)
    }
  }
}

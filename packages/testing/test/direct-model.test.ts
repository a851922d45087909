// A model of the direct lane: random requests, valid and not, under keys and without, while statements fail, COMMITs are lost, providers
// refuse, workers die, platforms are paused. In the end each accepted message has ended once, or has a next attempt, and of a refused one
// nothing is stored. PROPERTY_SEED runs the same again.
import { randomInt, randomUUID } from 'node:crypto'
import fc, { type AsyncCommand } from 'fast-check'
import t, { type Test } from 'tap'
import {
  APP,
  createDatabase,
  createTcpProxy,
  emptyQueue,
  openTestStack,
  waitFor,
  type TcpProxy,
  type TestStack,
} from '@push-server/testing'

// What is stored and recorded is the same over the other transport.
const LONG = process.env.TEST_LONG !== undefined && process.env.HTTP2_TRANSPORT !== 'node'
const [RUNS, COMMANDS] = LONG ? [200, 120] : [5, 40]
t.setTimeout(1_800_000)

const seed = Number(process.env.PROPERTY_SEED ?? randomInt(2 ** 31))
t.comment(`PROPERTY_SEED=${seed}`)

/** Its provider takes nothing before an hour has passed. */
const BUSY = 'busy-app'
const OTHER = 'other-app'
const APPS = [APP, OTHER, BUSY]
const USERS = 6
const HOUR_S = 3_600
const KEYS = 4

/** Some users have two phones. */
const phonesOf = (appId: string, user: number) =>
  Array.from({ length: 1 + (user % 2) }, (_, n) => Buffer.from(`${appId}-${user}-${n}`).toString('hex').padEnd(64, '0'))

/** Codes of PostgreSQL for titles that it rejects: data, resources, a statement that was ended, a deadlock at every attempt or at the first one. */
const FAILURES = ['23514', '22000', '53200', '57014', '40P01', 'first 40P01'] as const
type Failure = (typeof FAILURES)[number]

interface Sent {
  title: string
  key: string | undefined
  isInvalid: boolean
  response: Promise<{ status: number; ids: string[]; text: string }>
}

/** One run of the model: what was sent in it, and what else may explain its outcome. */
interface Run {
  name: string
  sent: Sent[]
  /** Connections were cut: what was in flight then may come twice. */
  isDisconnected: boolean
}

interface Server {
  stack: TestStack
  proxy: TcpProxy
  /** Of APP. */
  credentialsVersion: number
  restartWorker(): Promise<void>
}

async function openServer(t: Test): Promise<Server> {
  const cluster = await createDatabase()
  t.teardown(() => cluster.close())
  const proxy = await createTcpProxy(cluster.url)
  await proxy.open()
  t.teardown(() => proxy.shut())
  const stack = await openTestStack({
    cluster: proxy.url,
    services: ['gateway', 'scheduler'],
    simulator: { latencyMs: { min: 0, max: 20 } },
    environment: { SWEEP_INTERVAL: '100ms', SWEEP_AFTER: '200ms', LEASE_TIME: '2s' },
  })
  t.teardown(() => stack.close())
  for (const appId of APPS) {
    await stack.configure(appId)
    for (let user = 0; user < USERS; user++)
      for (const token of phonesOf(appId, user)) await stack.register({ userId: `user-${user}`, token, appId })
  }
  await stack.database.query('CREATE SEQUENCE attempts')
  await stack.database.query(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE code text := substring(NEW.body ->> 'title' FROM 'fails (.*)$'); BEGIN
      IF code LIKE 'first %' AND nextval('attempts') % 2 = 1 THEN RAISE 'failed' USING ERRCODE = substring(code FROM 7); END IF;
      IF code NOT LIKE 'first %' THEN RAISE 'failed' USING ERRCODE = code; END IF;
      RETURN NEW; END $$`)
  await stack.database.query('CREATE TRIGGER fail BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION fail()')
  const [credentials] = await stack.database.query<{ version: number }>(
    'SELECT version FROM credentials WHERE application_id = 1',
  )
  let stop = await stack.start('apns')
  return {
    stack,
    proxy,
    credentialsVersion: credentials?.version ?? 0,
    async restartWorker() {
      await stop()
      stop = await stack.start('apns')
    },
  }
}

interface Request {
  appId: string
  users: readonly number[]
  mode: string
  /** Requests of a run under the same number have the same key, and mostly the same content. */
  key: number | undefined
  isOther: boolean
  failure: Failure | undefined
  invalid: 'application' | 'user' | 'time' | undefined
}

const INVALID = {
  application: { appId: 'no-such-app' },
  user: { userId: '' },
  time: { validUntil: 'never' },
}

const titleOf = (run: Run, { key, isOther, failure }: Request) =>
  `${run.name} ${key === undefined ? run.sent.length : `key ${key}${isOther ? ' other' : ''}`}${failure ? ` fails ${failure}` : ''}`

/** Responses are awaited later, so that requests meet. */
function send({ stack }: Server, run: Run, request: Request): void {
  const { appId, users, mode, invalid } = request
  const title = titleOf(run, request)
  const key = request.key === undefined ? undefined : `${run.name}-${request.key}`
  const wrong = invalid && INVALID[invalid]
  const batch = users.map((user) => ({
    userId: wrong && 'userId' in wrong ? wrong.userId : `user-${user}`,
    body: { title, ...(wrong && 'validUntil' in wrong && wrong) },
  }))
  const body = JSON.stringify({
    requestObject: { appId: wrong && 'appId' in wrong ? wrong.appId : appId, mode, batch },
  })
  const headers = { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }) }
  const response = stack.api.call('POST', '/push/message/batch/send', { body, headers }).then((got) => ({
    status: got.status,
    ids: (got.body.responseObject?.messageIds ?? []) as string[],
    text: JSON.stringify(got.body),
  }))
  run.sent.push({ title, key: key && `${appId}/${key}`, isInvalid: invalid !== undefined, response })
}

const REFUSALS = [503, 429, 500, 400, 410] as const

const allResponses = (run: Run) => Promise.all(run.sent.map(({ response }) => response))

type Act = (server: Server, run: Run) => Promise<unknown> | void

const command = (name: string, act: Act): AsyncCommand<Run, Server> => ({
  check: () => true,
  async run(run, server) {
    await act(server, run)
  },
  toString: () => name,
})

/** One of the values once in so many times. */
const seldom = <T>(times: number, values: readonly T[]) =>
  fc.oneof(
    { weight: times - 1, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(...values) },
  )

const randomRequests = fc.record<Request>({
  appId: fc.constantFrom(APP, APP, OTHER, BUSY),
  users: fc.uniqueArray(fc.nat(USERS - 1), { minLength: 1, maxLength: 3 }),
  mode: fc.constantFrom('ASYNCHRONOUS', 'ASYNCHRONOUS', 'ASYNCHRONOUS', 'SYNCHRONOUS'),
  key: fc.option(fc.nat(KEYS - 1), { nil: undefined }),
  isOther: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
  failure: seldom(8, FAILURES),
  invalid: seldom(10, ['application', 'user', 'time'] as const),
})

/** What is under one key is one request, sent again. */
const requests = randomRequests.map((request): Request => {
  const { key } = request
  if (key === undefined) return request
  const failure = key === KEYS - 1 ? ('first 40P01' as const) : undefined
  return { ...request, appId: APPS[key % 2] ?? APP, users: [key, key + 1], failure, invalid: undefined }
})

const ACTS: Record<string, Act> = {
  'wait for all responses': (_server, run) => allResponses(run),
  'lose a COMMIT': ({ proxy }) => void proxy.loseResponseTo('message-store'),
  'lose the response to a claim': ({ proxy }) => void proxy.loseResponseTo('chunk-claim'),
  'lose the response to a record': ({ proxy }) => void proxy.loseResponseTo('chunk-record'),
  'pause the platform': ({ stack: { context }, credentialsVersion }) =>
    context.store.pauses.pause({ applicationId: 1, platform: 'ios', version: credentialsVersion, reason: 'Forbidden' }),
  'resume the platform': ({ stack: { context } }) =>
    context.store.pauses.resume({ applicationId: 1, platform: 'ios' }, { all: true }),
  'lose the queue': ({ stack }) => emptyQueue(stack),
  'cut connections to the provider'({ stack }, run) {
    run.isDisconnected = true
    stack.simulator.disconnect('ios')
  },
  'stop the worker, start another': (server) => server.restartWorker(),
  // Whatever it had claimed waits for the end of its lease.
  async 'a worker dies'({ stack }) {
    const open = await stack.database.query<{ id: number }>(
      'SELECT id::int FROM chunks WHERE settled_at IS NULL AND application_id < 3 LIMIT 5',
    )
    const ids = open.map(({ id }) => id)
    const { store } = stack.context
    // The response that is to be lost may be this one.
    await store.chunks.claim(ids, `dead-${randomUUID()}`, 500).catch((error: unknown) => {
      if (!store.isUnavailable(error)) throw error
    })
  },
}

const refusals = fc
  .tuple(fc.constantFrom(APP, OTHER), fc.nat(USERS - 1), fc.constantFrom(...REFUSALS))
  .map(([appId, user, status]) =>
    command(`the provider refuses ${appId}/${user} with ${status}`, ({ stack }) => {
      for (const token of phonesOf(appId, user)) stack.simulator.respondTo(token, { status, times: 1 })
    }),
  )

const sending = requests.map((request) =>
  command(`send ${JSON.stringify(request)}`, (server, run) => send(server, run, request)),
)

const commands = fc.commands(
  [
    ...Array.from({ length: 8 }, () => sending),
    refusals,
    ...Object.entries(ACTS).map(([name, act]) => fc.constant(command(name, act))),
  ],
  { maxCommands: COMMANDS, size: 'max' },
)

/** Nothing stands in the way any more: what can end ends. */
async function settle({ stack, restartWorker }: Server): Promise<void> {
  const { database, simulator, context } = stack
  await context.store.pauses.resume({ applicationId: 1, platform: 'ios' }, { all: true })
  await restartWorker()
  await waitFor(
    'all to end',
    async () => {
      const open = await database.query(
        `SELECT 1 FROM chunks c LEFT JOIN deliveries d ON d.chunk_id = c.id AND d.status = 'pending'
         WHERE c.settled_at IS NULL AND (c.owner IS NOT NULL OR d.next_attempt_at IS NULL OR d.next_attempt_at < now() + interval '10 min')
         LIMIT 1`,
      )
      return open.length === 0
    },
    60_000,
  )
  for (const appId of [APP, OTHER])
    for (let user = 0; user < USERS; user++) for (const token of phonesOf(appId, user)) simulator.forgetResponses(token)
  await database.query('UPDATE devices SET dropped_at = NULL, drop_reason = NULL, drop_doubtful = false')
}

const equal = (found: unknown, expected: unknown, what: string) => {
  const [one, other] = [JSON.stringify(found), JSON.stringify(expected)]
  if (one !== other) throw new Error(`${what}: ${one}, not ${other}`)
}
const holds = (condition: boolean, what: string) => equal(condition, true, what)

interface Stored {
  id: string
  title: string | null
  appId: string
  deliveries: { status: string; reason: string | null; token: string; hasNext: boolean }[]
}

/** A message to nobody keeps no content, and so no title. */
const storedIn = ({ stack: { database } }: Server, { name }: Run, ids: readonly string[]) =>
  database.query<Stored>(
    `SELECT m.id, m.body ->> 'title' AS title, a.app_id AS "appId", coalesce((SELECT json_agg(json_build_object('status', d.status,
        'reason', d.reason, 'token', d.token, 'hasNext', d.next_attempt_at > now())) FROM deliveries d WHERE d.message_id = m.id), '[]') AS deliveries
     FROM messages m JOIN applications a ON a.id = m.application_id WHERE m.body ->> 'title' LIKE $1 || ' %' OR m.id = ANY($2::uuid[])`,
    [name, ids],
  )

/** Of a refused request nothing is stored; of an accepted one all, once. */
async function checkRequests(run: Run, stored: ReadonlyMap<string, Stored>): Promise<void> {
  const responses = await allResponses(run)
  const ofTitle = new Map<string, { accepted: Set<string>; isUnknown: boolean }>()
  const underKey = new Map<string, Set<string>>()
  for (const [n, { title, key, isInvalid }] of run.sent.entries()) {
    const { status, ids, text } = responses[n] ?? { status: 0, ids: [], text: '' }
    holds(!isInvalid || status !== 200, `an invalid request is refused, ${title}`)
    const known = ofTitle.get(title) ?? { accepted: new Set(), isUnknown: false }
    ofTitle.set(title, known)
    if (status === 200) {
      known.accepted.add(ids.join())
      if (key !== undefined) underKey.set(key, (underKey.get(key) ?? new Set()).add(ids.join()))
    } else known.isUnknown ||= text.includes('may have been stored')
  }
  for (const [key, ids] of underKey) equal(ids.size, 1, `what stands under ${key}`)
  const byTitle = Map.groupBy(stored.values(), ({ title }) => title)
  for (const [title, { accepted, isUnknown }] of ofTitle) {
    const ids = [...accepted].flatMap((some) => some.split(','))
    const lost = ids.filter((id) => !stored.has(id))
    equal(lost, [], `lost of ${title}`)
    const more = (byTitle.get(title) ?? []).filter(({ id }) => !ids.includes(id))
    holds(more.length === 0 || isUnknown, `${title} was refused, and is not stored`)
  }
}

/** Each delivery has ended once, or has a next attempt. */
function checkDeliveries({ stack }: Server, run: Run, stored: ReadonlyMap<string, Stored>): void {
  const titles = new Set([...stored.values()].flatMap(({ title }) => title ?? []))
  const pushes = Map.groupBy(stack.simulator.pushes, ({ payload }) => titleOfPush(payload))
  for (const title of titles) {
    const deliveries = [...stored.values()].filter((one) => one.title === title)
    const all = deliveries.flatMap((one) => one.deliveries.map((delivery) => ({ appId: one.appId, ...delivery })))
    for (const { status, reason, hasNext, appId } of all) {
      if (status === 'pending')
        holds(appId === BUSY && hasNext, `a delivery of ${title} is pending without a next attempt`)
      else holds(status === 'sent' || (status === 'failed' && reason !== null), `${title} has ended as ${status}`)
    }
    const sent = all.filter(({ status }) => status === 'sent').map(({ token }) => token)
    const shown = (pushes.get(title) ?? []).map(({ token }) => token)
    if (!run.isDisconnected) equal(shown.toSorted(), sent.toSorted(), `phones that show ${title}`)
    else
      equal(
        [...new Set(shown)].filter((token) => sent.includes(token)).toSorted(),
        [...new Set(sent)].toSorted(),
        title,
      )
  }
}

const titleOfPush = (payload: Readonly<Record<string, unknown>>) =>
  (payload as { aps?: { alert?: { title?: string } } }).aps?.alert?.title ?? ''

async function checkChunks({ stack: { database } }: Server): Promise<void> {
  const wrong = await database.query(
    `SELECT c.id FROM chunks c, LATERAL (
       SELECT count(*) FILTER (WHERE status = 'sent') AS sent, count(*) FILTER (WHERE status = 'failed') AS failed,
         count(*) FILTER (WHERE status = 'pending') AS pending
       FROM deliveries d WHERE d.chunk_id = c.id) AS own
     WHERE (c.sent, c.failed, c.total, c.settled_at IS NOT NULL)
       IS DISTINCT FROM (own.sent, own.failed, own.sent + own.failed + own.pending, own.pending = 0)`,
  )
  equal(wrong, [], 'chunks whose figures do not add up')
}

t.test('whatever meets: what is accepted ends once, what is refused is not stored', async (t) => {
  const server = await openServer(t)
  for (let user = 0; user < USERS; user++)
    for (const token of phonesOf(BUSY, user))
      server.stack.simulator.respondTo(token, { status: 429, retryAfter: HOUR_S })
  let runs = 0
  let accepted = 0
  let refused = 0
  const property = fc.asyncProperty(commands, async (some) => {
    const run: Run = { name: `run-${runs++}`, sent: [], isDisconnected: false }
    await fc.asyncModelRun(() => ({ model: run, real: server }), some)
    const responses = await allResponses(run)
    const ids = responses.flatMap((response) => (response.status === 200 ? response.ids : []))
    accepted += responses.filter(({ status }) => status === 200).length
    refused += responses.filter(({ status }) => status !== 200).length
    await settle(server)
    const stored = new Map((await storedIn(server, run, ids)).map((one) => [one.id, one]))
    await checkRequests(run, stored)
    checkDeliveries(server, run, stored)
    await checkChunks(server)
  })
  await fc.assert(property, { seed, numRuns: RUNS, endOnFailure: !LONG, verbose: true })
  t.ok(accepted > RUNS, `${accepted} requests were accepted in ${runs} runs`)
  t.ok(refused > RUNS, `${refused} refused`)
})

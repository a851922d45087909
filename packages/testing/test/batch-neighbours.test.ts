// What shares a claim: a delivery that never ends, an application that is removed, a platform that is paused, a phone that changes hands
// concern nobody beside.
import pg from 'pg'
import t, { type Test } from 'tap'
import { APP, openTestStack, waitFor, type TestStack, type TestStackOptions } from '@push-server/testing'

t.setTimeout(1_800_000)
t.jobs = 2

const HANG_MS = 300_000
/** What is tried here is what shares a statement. */
const SHARED = { DIRECT_BATCH_REQUESTS: '200', DIRECT_BATCH_CHUNKS: '100' }

async function open(t: Test, options: TestStackOptions = {}): Promise<TestStack> {
  const stack = await openTestStack({ ...options, environment: { ...SHARED, ...options.environment } })
  t.teardown(() => stack.close())
  return stack
}

const token = (name: string) => Buffer.from(name).toString('hex').padEnd(64, '0')
const PENDING_ONE = { sent: 0, pending: 1, failed: 0, total: 1 }

/** Requests that are stored together: all but the first gather while nothing can be stored. */
async function gather<T>({ context, database }: TestStack, count: number, start: () => Promise<T>[]) {
  const { messages } = context.store
  const { audiences } = messages
  let readied = 0
  messages.audiences = async (queries) => {
    const read = await audiences(queries)
    readied += queries.length
    return read
  }
  const lock = new pg.Client({ connectionString: database.url })
  await lock.connect()
  try {
    await lock.query('BEGIN; LOCK TABLE messages IN SHARE MODE')
    const sending = start()
    await waitFor('all requests', () => readied === count)
    return sending
  } finally {
    await lock.end()
    messages.audiences = audiences
  }
}

t.test(
  'one delivery among 500 never ends: the SYNCHRONOUS callers of the others get their response',
  { buffered: true },
  async (t) => {
    const stack = await open(t, {
      environment: { SYNC_TIMEOUT: '5m', APNS_REQUEST_TIMEOUT: '10m', DATABASE_TIMEOUT: '3m' },
    })
    await stack.configure()
    const users = Array.from({ length: 500 }, (_, n) => `user-${n}`)
    await stack.database.query(
      `INSERT INTO devices (application_id, user_id, activation_id, platform, token, bucket, active)
       SELECT 1, u.name, u.name, 'ios', u.token, 0, true FROM unnest($1::text[], $2::text[]) AS u(name, token)`,
      [users, users.map(token)],
    )
    const endless = 'user-250'
    stack.simulator.respondTo(token(endless), { failure: 'silence', times: 1 })
    const send = async (userId: string) => {
      const message = { userId, body: { title: 'T' } }
      const { status, body } = await stack.api.post('/push/message/send', { appId: APP, message })
      return { status, ios: body.responseObject.result?.ios, id: body.responseObject.messageIds?.[0] }
    }
    let hasEnded = false
    const sending = await gather(stack, users.length, () =>
      users.map((userId) => (userId === endless ? send(userId).finally(() => (hasEnded = true)) : send(userId))),
    )
    const responses = await Promise.all(sending.filter((_, n) => users[n] !== endless))
    t.notOk(hasEnded, 'its own caller still waits')
    t.same(new Set(responses.map(({ status }) => status)), new Set([200]))
    t.same(
      responses.filter(({ ios }) => ios?.sent !== 1),
      [],
      'each of them is told that its message was sent',
    )
    const [chunk] = await stack.database.query<{ total: number; owned: boolean; pending: number }>(
      `SELECT c.total, c.owner IS NOT NULL AS owned,
         (SELECT count(*)::int FROM deliveries d WHERE d.chunk_id = c.id AND d.status = 'pending') AS pending
       FROM chunks c WHERE settled_at IS NULL`,
    )
    t.ok(chunk && chunk.total > 1, `it shares its chunk with ${(chunk?.total ?? 0) - 1} others`)
    t.match(chunk, { owned: true, pending: 1 }, 'which is still in hand, with nothing else to do')

    stack.simulator.disconnect('ios')
    const ended = await sending[users.indexOf(endless)]
    t.match(ended, { status: 200, ios: PENDING_ONE }, 'put off when its connection breaks')
    await stack.simulator.waitFor((pushes) => pushes.some((push) => push.token === token(endless)), HANG_MS)
    t.equal(stack.simulator.stats().ios.distinctTokens, 500)
  },
)

/** A device that was read may be pushed to for 5 s. */
const MOST_AGE_MS = 5_000

/** Counts how often the worker says that it starts no further push of a chunk. */
function countAborted({ context }: TestStack): () => number {
  let count = 0
  const listen = (_members: object, message?: string) => void (message === 'chunk delivery aborted' && count++)
  const log = Object.assign(Object.create(context.log) as typeof context.log, { info: listen, warn: listen })
  Object.assign(context, { log })
  return () => count
}

interface Fate {
  /** While the second delivery of the chunk waits for the first, which has no response yet. */
  meanwhile(stack: TestStack, appId: string): Promise<unknown>
  /** Status and reason of the second delivery in the end; undefined where nothing is left of it. */
  outcome: [status: string, reason: string | null] | undefined
  isPushed: boolean
}

const second = (appId: string) => `${appId}-second`

const FATES: Record<string, Fate> = {
  removed: {
    meanwhile: ({ api }, appId) => api.post('/admin/app/remove', { appId }),
    outcome: undefined,
    isPushed: false,
  },
  paused: {
    async meanwhile({ context: { store }, database }, appId) {
      const [credentials] = await database.query<{ applicationId: number; version: number }>(
        `SELECT application_id AS "applicationId", version FROM credentials
         WHERE application_id = (SELECT id FROM applications WHERE app_id = $1)`,
        [appId],
      )
      if (!credentials) throw new Error(`${appId} has no credentials`)
      t.ok(await store.pauses.pause({ ...credentials, platform: 'ios', reason: 'InvalidProviderToken' }))
    },
    outcome: ['pending', null],
    isPushed: false,
  },
  'handed-over': {
    meanwhile: (stack, appId) =>
      stack.register({ userId: 'another', token: token(second(appId)), activationId: 'another', appId }),
    outcome: ['failed', 'DeviceReassigned'],
    isPushed: false,
  },
  untouched: { meanwhile: async () => {}, outcome: ['sent', null], isPushed: true },
}

t.test(
  'between claim and push an application is removed, one is paused, a phone changes hands',
  { buffered: true },
  async (t) => {
    // Without a sweep nothing but its lease keeps a worker from pushing for an application that is gone.
    const stack = await open(t, {
      services: ['gateway'],
      environment: { APNS_CONCURRENCY: '1', APNS_REQUEST_TIMEOUT: '10m', LEASE_TIME: '5m' },
    })
    const appIds = Object.keys(FATES)
    const messageIds = new Map<string, string>()
    for (const appId of appIds) {
      await stack.configure(appId)
      const users = [`${appId}-first`, second(appId)]
      for (const userId of users)
        await stack.register({ userId, token: token(userId), activationId: userId.slice(0, 37), appId })
      stack.simulator.respondTo(token(`${appId}-first`), { failure: 'silence', times: 1 })
      const batch = users.map((userId) => ({ userId, body: { title: userId } }))
      const { body } = await stack.api.post('/push/message/batch/send', { appId, batch, mode: 'ASYNCHRONOUS' })
      messageIds.set(appId, body.responseObject.messageIds[1])
    }
    const aborted = countAborted(stack)
    const stopWorker = await stack.start('apns')
    await stack.simulator.waitFor(() => stack.simulator.stats().ios.requests >= appIds.length, HANG_MS)
    const readAt = performance.now()
    for (const appId of appIds) await FATES[appId]?.meanwhile(stack, appId)
    await waitFor('the worker to notice the removal and the pause', () => aborted() === 2, 60_000)
    await waitFor('what was read to be too old', () => performance.now() - readAt > MOST_AGE_MS)
    stack.simulator.disconnect('ios')
    await waitFor('what can end to end', async () => {
      const rows = await stack.database.query(
        `SELECT 1 FROM chunks c JOIN applications a ON a.id = c.application_id
         WHERE c.settled_at IS NULL AND (c.owner IS NOT NULL OR a.app_id IN ('handed-over', 'untouched'))`,
      )
      return rows.length === 0
    })
    await stopWorker()
    await stack.start('scheduler')
    await waitFor('the removed application to be cleared', async () => {
      const rows = await stack.database.query('SELECT 1 FROM applications WHERE app_id IS NULL AND cleared_at IS NULL')
      return rows.length === 0
    })
    for (const [appId, { outcome, isPushed }] of Object.entries(FATES)) {
      const pushed = stack.simulator.pushes.filter((push) => push.token === token(second(appId)))
      t.equal(pushed.length, isPushed ? 1 : 0, `${appId}: ${isPushed ? 'pushed once' : 'not pushed'}`)
      const rows = await stack.database.query<{ status: string; reason: string | null }>(
        'SELECT status, reason FROM deliveries WHERE message_id = $1',
        [messageIds.get(appId)],
      )
      t.same(
        rows.map(({ status, reason }) => [status, reason]),
        outcome ? [outcome] : [],
        `${appId}: the status says so`,
      )
    }
    t.equal((await stack.api.post('/admin/app/ios/resume', { appId: 'paused' })).status, 200)
    await stack.start('apns')
    await stack.simulator.waitFor((pushes) => pushes.some((push) => push.token === token(second('paused'))), HANG_MS)
    t.notOk(
      stack.simulator.pushes.some((push) => push.token === token(second('removed'))),
      'nothing of the removed application is pushed later',
    )
    await waitFor('the rest of it', () => stack.simulator.pushes.length >= 5)
    t.equal(
      stack.simulator.pushes.length,
      5,
      'two of it, and of those that were untouched, and one of what was handed over',
    )
  },
)

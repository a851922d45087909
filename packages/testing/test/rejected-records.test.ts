// A record that the database rejects makes no push repeat without end: its delivery alone fails.
import t, { type Test } from 'tap'
import { APP, openTestStack, waitFor } from '@push-server/testing'

t.setTimeout(1_800_000)

const token = (name: string) => Buffer.from(name).toString('hex').padEnd(64, '0')
const GOOD = ['good-1', 'good-2', 'good-3', 'good-4']
const BAD = 'odd'

const stack = await openTestStack()
t.teardown(() => stack.close())
await stack.configure()

/** What earlier tests have pushed. */
let pushedBefore = 0

t.beforeEach(async () => {
  const { database, simulator } = stack
  for (const table of ['deliveries', 'chunks'])
    await database.query(`ALTER TABLE ${table} DROP CONSTRAINT IF EXISTS rejected`)
  await database.query('TRUNCATE devices, messages, deliveries, chunks, token_guards, provider_pauses')
  simulator.forgetResponses()
  pushedBefore = simulator.pushes.length
  for (const name of [...GOOD, BAD]) await stack.register({ userId: name, token: token(name) })
})

const outcomes = () =>
  stack.database.query<{ user: string; status: string; reason: string | null }>(
    `SELECT m.user_id AS user, d.status, d.reason FROM deliveries d JOIN messages m ON m.id = d.message_id ORDER BY m.user_id`,
  )

/** One chunk of the four good users and the odd one; resolves once it is settled. */
async function sendBatch(): Promise<void> {
  const { api, database } = stack
  const batch = [BAD, ...GOOD].map((userId) => ({ userId, body: { title: 'Hello' } }))
  const { status } = await api.post('/push/message/batch/send', { appId: APP, mode: 'ASYNCHRONOUS', batch })
  if (status !== 200) throw new Error(`The batch was refused: ${status}`)
  await waitFor('the chunk to settle', async () => {
    const rows = await database.query('SELECT 1 FROM chunks WHERE settled_at IS NULL')
    return rows.length === 0
  })
}

const theChunk = async () => {
  const [chunk] = await stack.database.query<{ sent: number; failed: number; epoch: number; reasons: object }>(
    'SELECT sent, failed, epoch, reasons FROM chunks',
  )
  return chunk
}

/** Each of the good users has it once. */
function checkGood(t: Test): void {
  const pushed = stack.simulator.pushes.slice(pushedBefore).map((push) => push.token)
  t.same(pushed.toSorted(), GOOD.map(token).toSorted(), 'every good phone has it, once')
}

const sent = (user: string) => ({ user, status: 'sent', reason: null })

t.test('times that no calendar has, texts that no column takes', async (t) => {
  for (const [name, response, outcome] of [
    ['long before all time', { status: 410, reason: 'Unregistered', timestamp: -1e15 }, { reason: 'Unregistered' }],
    ['after all time', { status: 410, reason: 'Unregistered', timestamp: 9e15 }, { reason: 'Unregistered' }],
    [
      'not even a number',
      { status: 410, body: '{"reason":"Unregistered","timestamp":"soon"}' },
      { reason: 'Unregistered' },
    ],
    [
      'a NUL and half a surrogate pair',
      { status: 400, body: JSON.stringify({ reason: 'a\0\ud800b' }) },
      { reason: 'a\ufffdb' },
    ],
    ['a text without end', { status: 400, reason: 'x'.repeat(5000) }, { reason: 'x'.repeat(100) }],
  ] as const)
    await t.test(name, async (t) => {
      stack.simulator.respondTo(token(BAD), response)
      await sendBatch()
      t.same(await outcomes(), [...GOOD.map(sent), { user: BAD, status: 'failed', ...outcome }])
      checkGood(t)
      t.match(await theChunk(), { sent: 4, failed: 1, epoch: 1 }, 'under one claim')
    })
})

/** Rejects with class 23 whatever `condition` says of the row as it would be. */
const reject = (table: string, condition: string) =>
  stack.database.query(`ALTER TABLE ${table} ADD CONSTRAINT rejected CHECK (NOT (${condition})) NOT VALID`)

t.test('a database that rejects what became of a delivery', async (t) => {
  for (const [name, condition, reason] of [
    ['for the text of the provider', `reason = 'BadMessageId'`, 'Unknown'],
    ['for anything but the last resort', `status = 'failed' AND reason <> 'Unrecordable'`, 'Unrecordable'],
  ] as const)
    await t.test(name, async (t) => {
      stack.simulator.respondTo(token(BAD), { status: 400, reason: 'BadMessageId' })
      await reject('deliveries', condition)
      await sendBatch()
      t.same(await outcomes(), [...GOOD.map(sent), { user: BAD, status: 'failed', reason }])
      checkGood(t)
      t.match(await theChunk(), { sent: 4, failed: 1, epoch: 1, reasons: { [reason]: 1 } })
      const unrecordable =
        reason === 'Unrecordable' ? /push_unrecordable_deliveries_total\{platform="ios"\} [1-9]/ : /$/
      t.match(await stack.context.metrics.text(), unrecordable)
    })

  await t.test('whatever it is', async (t) => {
    stack.simulator.respondTo(token(BAD), { status: 400, reason: 'BadMessageId' })
    await reject('deliveries', `status = 'failed'`)
    await sendBatch()
    checkGood(t)
    t.match(await theChunk(), { sent: 4, failed: 1, reasons: { Unrecordable: 1 } }, 'the chunk is settled all the same')
  })
})

t.test('a database that rejects what became of a campaign’s chunk', async (t) => {
  for (const [name, condition, result] of [
    ['for a text', `'BadMessageId' = ANY(reason_names)`, { sent: 4, failed: 1 }],
    ['whatever it is', 'outcomes IS NOT NULL', { sent: 0, failed: 5 }],
  ] as const)
    await t.test(name, async (t) => {
      stack.simulator.respondTo(token(BAD), { status: 400, reason: 'BadMessageId' })
      await reject('chunks', condition)
      const { body } = await stack.api.post('/push/campaign/create', { appId: APP, message: { title: 'Hello' } })
      const id: string = body.responseObject.id
      await stack.api.post(`/push/campaign/${id}/user/add`, [BAD, ...GOOD])
      await stack.api.post(`/push/campaign/send/live/${id}`, {})
      const detail = await waitFor('the run to complete', async () => {
        const { responseObject } = (await stack.api.get(`/push/campaign/${id}/detail`)).body
        return responseObject.state === 'sent' && responseObject
      })
      t.match(detail.result.ios, { ...result, pending: 0, total: 5 })
      checkGood(t)
    })
})

t.test('claims that are lost for other reasons count against nothing', async (t) => {
  for (const name of [...GOOD, BAD]) stack.simulator.respondTo(token(name), { status: 503, retryAfter: 1 })
  const batch = GOOD.map((userId) => ({ userId, body: { title: 'Hello' } }))
  await stack.api.post('/push/message/batch/send', { appId: APP, mode: 'ASYNCHRONOUS', batch })
  await waitFor(
    'the chunk to be put back',
    async () => (await stack.database.query('SELECT 1 FROM chunks WHERE try > 0 AND owner IS NULL')).length === 1,
  )
  // As if it had been put back as often as a number of two bytes can count.
  await stack.database.query('UPDATE chunks SET try = 32767, epoch = 100000')
  stack.simulator.forgetResponses()
  await waitFor(
    'the chunk to settle',
    async () => (await stack.database.query('SELECT 1 FROM chunks WHERE settled_at IS NULL')).length === 0,
  )
  t.same(await outcomes(), GOOD.map(sent))
})

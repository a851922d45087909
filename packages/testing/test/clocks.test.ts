// Processes whose clock is wrong: what they store, and what they push, goes by the database's clock.
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { APP, BACKENDS, freePort, openTestStack, spawnService, waitFor, type TestStack } from '@push-server/testing'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const SKEWED_CLOCK = fileURLToPath(new URL('../src/skewed-clock.ts', import.meta.url))
const backend = BACKENDS.find(({ skip }) => !skip) ?? BACKENDS[0]

const token = (name: string) => Buffer.from(name).toString('hex').padEnd(64, '0')

/** A service whose clock is ahead; resolves with its URL for probes when it is ready. */
async function launch(t: Test, stack: TestStack, name: string, skewMs: number): Promise<string> {
  const healthPort = String(await freePort())
  const child = spawnService(name, {
    ...stack.environment,
    HEALTH_PORT: healthPort,
    NODE_OPTIONS: `--import ${SKEWED_CLOCK}`,
    CLOCK_SKEW_MS: String(skewMs),
  })
  t.teardown(() => child.kill())
  const url = name === 'api-gateway' ? stack.api.url : `http://127.0.0.1:${healthPort}`
  await waitFor(`${name} to be ready`, () =>
    fetch(`${url}/health/ready`).then(
      (response) => response.ok,
      () => false,
    ),
  )
  return url
}

async function offsetAt(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^push_clock_offset_seconds (\S+)$/m.exec(text)?.[1])
}

async function send(t: Test, stack: TestStack, userId: string, body: object = {}): Promise<string> {
  const message = { userId, body: { title: 'Code', body: '123 456', ...body } }
  const response = await stack.api.post('/push/message/send', { appId: APP, message, mode: 'ASYNCHRONOUS' })
  t.equal(response.status, 200)
  return response.body.responseObject.messageIds[0]
}

const statusOf = async (stack: TestStack, id: string) => {
  const rows = await stack.database.query<{ status: string; reason: string | null }>(
    'SELECT status, reason FROM deliveries WHERE message_id = $1',
    [id],
  )
  return rows[0]
}
const settled = (stack: TestStack, id: string) =>
  waitFor('the delivery to settle', async () => {
    const row = await statusOf(stack, id)
    return row?.status === 'pending' ? undefined : row
  })

for (const [name, skewMs] of [
  ['3 minutes ahead', 3 * MINUTE],
  ['70 minutes ahead', 70 * MINUTE],
  ['25 hours ahead', 25 * HOUR],
  ['3 minutes behind', -3 * MINUTE],
  ['25 hours behind', -25 * HOUR],
] as const)
  t.test(`a worker that is ${name}`, async (t) => {
    const stack = await openTestStack({ ...(backend && { backend }), services: ['gateway', 'scheduler'] })
    t.teardown(() => stack.close())
    await stack.configure()
    for (const userId of ['password', 'plain', 'busy', 'late'])
      await stack.register({ userId, token: token(userId), activationId: userId })
    stack.simulator.respondTo(token('busy'), { status: 503, reason: 'ServiceUnavailable', times: 1 })
    // Past its time before the worker is there.
    const late = await send(t, stack, 'late', { validUntil: new Date(Date.now() + 10 * MINUTE).toISOString() })
    const end = "UPDATE messages SET valid_until = created_at + interval '1 ms' WHERE id = $1"
    await stack.database.query(end, [late])
    const url = await launch(t, stack, 'apns-worker', skewMs)
    t.ok(Math.abs((await offsetAt(url)) - skewMs / 1000) < 2, 'the metric says by how much')

    const password = await send(t, stack, 'password', { validUntil: new Date(Date.now() + 2 * MINUTE).toISOString() })
    const plain = await send(t, stack, 'plain')
    t.same(await settled(stack, password), { status: 'sent', reason: null }, 'a one-time password')
    t.same(await settled(stack, plain), { status: 'sent', reason: null }, 'a message without an end')
    t.same(await settled(stack, late), { status: 'failed', reason: 'Expired' }, 'what is past its time is not pushed')

    const busy = await send(t, stack, 'busy')
    const due = await waitFor('the first attempt', async () => {
      const [row] = await stack.database.query<{ seconds: number }>(
        `SELECT extract(epoch FROM d.next_attempt_at - now())::float8 AS seconds FROM deliveries d
         WHERE d.message_id = $1 AND d.attempts > 0 AND d.next_attempt_at IS NOT NULL`,
        [busy],
      )
      return row
    })
    t.ok(Math.abs(due.seconds) < 5, `the next attempt is due in ${due.seconds} s`)
    t.same(await settled(stack, busy), { status: 'sent', reason: null }, 'the second attempt')
  })

t.test('a gateway that is 25 hours ahead, and one that is behind', async (t) => {
  for (const skewMs of [25 * HOUR, -25 * HOUR]) {
    const stack = await openTestStack({ ...(backend && { backend }), services: ['apns', 'scheduler'] })
    t.teardown(() => stack.close())
    await stack.configure()
    await stack.register({ userId: 'anna', token: token('anna'), activationId: 'anna' })
    const url = await launch(t, stack, 'api-gateway', skewMs)
    t.ok(Math.abs((await offsetAt(url)) - skewMs / 1000) < 2, 'the metric says by how much')
    const id = await send(t, stack, 'anna', { validUntil: new Date(Date.now() + 2 * MINUTE).toISOString() })
    t.same(await settled(stack, id), { status: 'sent', reason: null })

    const created = await stack.api.post('/push/campaign/create', {
      appId: APP,
      message: { title: 'Now', body: 'Now' },
    })
    const path = `/push/campaign/${created.body.responseObject.id}/schedule`
    const at = (ms: number) => ({ sendAt: new Date(Date.now() + ms).toISOString() })
    t.equal((await stack.api.post(path, at(-MINUTE))).status, 400, 'a time in the past, by the database’s clock')
    t.equal((await stack.api.post(path, at(HOUR))).status, 200, 'a time in the future')
  }
})

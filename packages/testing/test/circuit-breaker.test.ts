// What keeps our own errors from costing devices: the circuit breaker of the device table, and pauses that are probed.
import t, { type Test } from 'tap'
import {
  analyzeDevices,
  APP,
  generateApnsKey,
  APNS_SETTINGS,
  openTestStack,
  waitFor,
  type TestStack,
  type TestStackOptions,
} from '@push-server/testing'

t.setTimeout(1_800_000)

const BAD = { status: 400, reason: 'BadDeviceToken' }

async function open(t: Test, options: TestStackOptions = {}): Promise<TestStack> {
  const stack = await openTestStack(options)
  t.teardown(() => stack.close())
  await stack.configure()
  return stack
}

/** Users `<prefix>1` and so on with an iPhone each. */
async function registerPhones(stack: TestStack, prefix: string, count: number): Promise<string[]> {
  await stack.database.query(
    `INSERT INTO devices (application_id, user_id, activation_id, platform, token, bucket, active, registered_at)
     SELECT id, $1 || n, 'of-' || $1 || n, 'ios', $1 || lpad(to_hex(n), 64 - length($1), '0'), n % 1024, true,
       now() - interval '1 hour' FROM applications, generate_series(1, $2::int) n WHERE app_id = $3`,
    [prefix, count, APP],
  )
  await analyzeDevices(stack.database)
  return Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`)
}

const droppedOf = async (stack: TestStack, prefix: string) => {
  const [row] = await stack.database.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM devices WHERE user_id LIKE $1 AND dropped_at IS NOT NULL',
    [`${prefix}%`],
  )
  return row?.n ?? -1
}

const send = (stack: TestStack, userId: string) =>
  stack.api.post('/push/message/send', { appId: APP, message: { userId, body: { title: 'Hello' } } })
const detailOf = async (stack: TestStack) =>
  (await stack.api.post('/admin/app/detail', { appId: APP })).body.responseObject

async function sendCampaign(stack: TestStack, users: readonly string[]): Promise<string> {
  const created = await stack.api.post('/push/campaign/create', { appId: APP, message: { title: 'Hello' } })
  const id: string = created.body.responseObject.id
  await stack.api.post(`/push/campaign/${id}/user/add`, users)
  await stack.api.post(`/push/campaign/send/live/${id}`, {})
  return id
}

const campaignOf = async (stack: TestStack, id: string) =>
  (await stack.api.get(`/push/campaign/${id}/detail`)).body.responseObject

const uploadCredentials = (stack: TestStack) =>
  stack.api.post('/admin/app/ios/update', {
    appId: APP,
    ...APNS_SETTINGS,
    privateKeyBase64: Buffer.from(generateApnsKey()).toString('base64'),
  })

t.test('environment mix-up in a campaign: no device is lost, campaigns wait, direct messages go on', async (t) => {
  const stack = await open(t, { environment: { APNS_CONCURRENCY: '50', CAMPAIGN_CONCURRENCY: '2' } })
  const users = await registerPhones(stack, 'a', 1500)
  const [good = ''] = await registerPhones(stack, 'b', 1)
  stack.simulator.respondTo('a', BAD)
  const id = await sendCampaign(stack, users)
  await waitFor('the circuit breaker to open', async () => (await detailOf(stack)).paused)
  t.match((await detailOf(stack)).paused, {
    ios: { lanes: 'campaign', reason: 'TooManyDoubtfulTokens', guardTripped: true },
  })
  await waitFor('the drops to be undone', async () => (await droppedOf(stack, 'a')) === 0)
  const { result } = await waitFor('the campaign to be held', async () => {
    const [row] = await stack.database.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM chunks WHERE settled_at IS NULL AND lease_until > now()',
    )
    return row?.n === 0 && (await campaignOf(stack, id))
  })
  t.ok(result.ios.pending > 0, `${result.ios.failed} failed before it was held, ${result.ios.pending} wait`)

  t.match((await send(stack, good)).body.responseObject.result.ios, { sent: 1 }, 'direct messages are sent')
  const [bad = ''] = users
  t.match((await send(stack, bad)).body.responseObject.result.ios, { failed: 1 })
  t.equal(await droppedOf(stack, 'a'), 0, 'and drop nothing')

  stack.simulator.forgetResponses('a')
  t.equal((await uploadCredentials(stack)).status, 200)
  t.notOk((await detailOf(stack)).paused, 'new credentials end it')
  await waitFor('the campaign to be sent', async () => (await campaignOf(stack, id)).state === 'sent', 30_000)
  t.match(await campaignOf(stack, id), { result: { ios: { pending: 0, failed: result.ios.failed, total: 1500 } } })
})

t.test('environment mix-up, slowly: direct messages one by one do not empty the table either', async (t) => {
  const stack = await open(t)
  const users = await registerPhones(stack, 'c', 30)
  stack.simulator.respondTo('c', BAD)
  for (const user of users) t.match((await send(stack, user)).body.responseObject.result.ios, { failed: 1 })
  t.match((await detailOf(stack)).paused, { ios: { lanes: 'campaign' } })
  await waitFor('the drops to be undone', async () => (await droppedOf(stack, 'c')) === 0)
  const metrics = await stack.context.metrics.text()
  t.match(metrics, /push_circuit_breaker_openings_total\{platform="ios"\} 1/)
})

const devicesOf = async (stack: TestStack, userId: string) =>
  (await stack.api.get(`/push/device/list?appId=${APP}&userId=${userId}`)).body.responseObject.devices

t.test('the first pushes of a new installation, all refused: no device is lost, however few there are', async (t) => {
  const stack = await open(t)
  const [one = '', two = ''] = await registerPhones(stack, 'ab', 2)
  stack.simulator.respondTo('ab', BAD)
  for (const user of [one, two])
    t.match((await send(stack, user)).body.responseObject.result.ios, { failed: 1 }, 'the delivery fails at once')
  t.equal(await droppedOf(stack, 'ab'), 0)
  t.match(await devicesOf(stack, one), [{ doubtReason: 'BadDeviceToken', timestampDoubtful: String }], 'it is shown')
  t.notOk((await detailOf(stack)).paused)

  // The mistake was ours: other credentials work, and prove nothing of the former ones.
  stack.simulator.forgetResponses('ab')
  t.equal((await uploadCredentials(stack)).status, 200)
  t.match((await send(stack, one)).body.responseObject.result.ios, { sent: 1 })
  t.match((await send(stack, two)).body.responseObject.result.ios, { sent: 1 })
  t.equal(await droppedOf(stack, 'ab'), 0)
})

t.test('a doubtful token is dropped once the same credentials have worked in its environment', async (t) => {
  const stack = await open(t)
  const [bad = '', again = ''] = await registerPhones(stack, 'b', 2)
  const [good = '', other = ''] = await registerPhones(stack, 'c', 2)
  const [later = ''] = await registerPhones(stack, 'd', 1)
  await stack.database.query("UPDATE devices SET environment = 'production' WHERE user_id = ANY($1)", [[other]])
  for (const prefix of ['b', 'd']) stack.simulator.respondTo(prefix, BAD)
  for (const user of [bad, again]) await send(stack, user)
  t.equal(await droppedOf(stack, 'b'), 0)
  t.match((await send(stack, other)).body.responseObject.result.ios, { sent: 1 })
  t.equal(await droppedOf(stack, 'b'), 0, 'a success in another environment proves nothing')
  await stack.database.query('UPDATE devices SET registered_at = now() WHERE user_id = $1', [again])
  t.match((await send(stack, good)).body.responseObject.result.ios, { sent: 1 })
  await waitFor('the drop', async () => (await droppedOf(stack, 'b')) === 1)
  t.match(await devicesOf(stack, bad), [{ dropReason: 'BadDeviceToken', timestampDropped: String }])
  t.notOk((await devicesOf(stack, again))[0].timestampDropped, 'what was registered again is not meant')
  await send(stack, later)
  await waitFor('a later one', async () => (await droppedOf(stack, 'd')) === 1)
})

t.test('a doubt is forgotten after a day', async (t) => {
  const stack = await open(t)
  const [bad = ''] = await registerPhones(stack, 'b', 1)
  const [good = ''] = await registerPhones(stack, 'c', 1)
  stack.simulator.respondTo('b', BAD)
  await send(stack, bad)
  await stack.database.query("UPDATE doubtful_tokens SET since = now() - interval '25 hours'")
  await waitFor('the doubt to be forgotten', async () => {
    const rows = await stack.database.query('SELECT FROM doubtful_tokens')
    return rows.length === 0
  })
  t.match((await send(stack, good)).body.responseObject.result.ios, { sent: 1 })
  t.notOk((await devicesOf(stack, bad))[0].timestampDoubtful)
  t.equal(await droppedOf(stack, 'b'), 0)
})

t.test('a stale audience: every dead token is dropped, and nothing is paused', async (t) => {
  const stack = await open(t)
  const users = await registerPhones(stack, 'd', 600)
  stack.simulator.respondTo('d', { status: 410, reason: 'Unregistered' })
  const id = await sendCampaign(stack, users)
  await waitFor('the campaign to be sent', async () => (await campaignOf(stack, id)).state === 'sent', 30_000)
  t.equal(await droppedOf(stack, 'd'), 600)
  t.notOk((await detailOf(stack)).paused)
})

t.test('a few bad tokens among many are dropped', async (t) => {
  const stack = await open(t)
  const users = await registerPhones(stack, 'e', 500)
  // 15 of 500, one after the other in the chunk.
  stack.simulator.respondTo(`e${'0'.repeat(62)}`, BAD)
  const id = await sendCampaign(stack, users)
  await waitFor('the campaign to be sent', async () => (await campaignOf(stack, id)).state === 'sent', 30_000)
  t.equal(await droppedOf(stack, 'e'), 15)
  t.notOk((await detailOf(stack)).paused)
})

t.test('credentials error: probed with one delivery, resumed by the first that gets through', async (t) => {
  const stack = await open(t)
  const users = await registerPhones(stack, 'f', 40)
  stack.simulator.respondTo('f', { status: 403, reason: 'InvalidProviderToken' })
  const requests = () => stack.simulator.stats().ios.requests
  const id = await sendCampaign(stack, users)
  await waitFor('the pause', async () => (await detailOf(stack)).paused)
  t.match((await detailOf(stack)).paused, { ios: { lanes: 'all', reason: 'InvalidProviderToken' } })
  t.notOk((await detailOf(stack)).paused.ios.guardTripped)
  await waitFor('the chunk to be put back', async () => {
    const [row] = await stack.database.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM chunks WHERE owner IS NOT NULL',
    )
    return row?.n === 0
  })
  const before = requests()
  const pauseOf = async () =>
    (
      await stack.database.query<{ probes: number; minutes: number; chunk: string | null }>(
        `SELECT probes, probe_chunk_id AS chunk, round(extract(epoch FROM next_probe_at - now()) / 60)::int AS minutes
       FROM provider_pauses`,
      )
    )[0]
  t.match(await pauseOf(), { probes: 0, minutes: 1 }, 'the first after a minute')
  for (const [probes, minutes] of [
    [1, 2],
    [2, 5],
    [3, 10],
    [4, 10],
  ] as const) {
    await stack.database.query('UPDATE provider_pauses SET next_probe_at = now()')
    await waitFor('a probe', async () => {
      const pause = await pauseOf()
      return pause?.probes === probes && pause.chunk === null
    })
    t.match(await pauseOf(), { minutes }, `after probe ${probes}`)
    t.equal(requests() - before, probes, 'one delivery each')
  }
  stack.simulator.forgetResponses('f')
  await stack.database.query('UPDATE provider_pauses SET next_probe_at = now()')
  await waitFor('the campaign to be sent', async () => (await campaignOf(stack, id)).state === 'sent', 30_000)
  t.notOk((await detailOf(stack)).paused)
  t.match(await campaignOf(stack, id), { result: { ios: { sent: 40, failed: 0 } } }, 'nothing is dropped or lost')
  t.equal(stack.simulator.pushes.length, 40)
  t.equal(await droppedOf(stack, 'f'), 0)
})

t.test('resumed by hand: what waited is sent at once, and the circuit breaker starts anew', async (t) => {
  const stack = await open(t)
  const [user = ''] = await registerPhones(stack, 'a', 1)
  stack.simulator.respondTo('a', { status: 403, reason: 'InvalidProviderToken' })
  t.match((await send(stack, user)).body.responseObject.result.ios, { pending: 1 })
  t.match((await detailOf(stack)).paused, { ios: { lanes: 'all' } })
  await stack.database.query(
    `INSERT INTO provider_pauses (application_id, platform, lanes, reason, next_probe_at)
     SELECT application_id, platform, 'campaign', 'TooManyDoubtfulTokens', 'infinity' FROM provider_pauses`,
  )
  await stack.database.query(
    `INSERT INTO token_guards (application_id, platform, minute_from, pushes, doubtful, recent, tripped_at)
     SELECT id, 'ios', now(), 100, 50, '', now() FROM applications`,
  )
  stack.simulator.forgetResponses('a')
  t.equal((await stack.api.post('/admin/app/ios/resume', { appId: APP })).status, 200)
  t.notOk((await detailOf(stack)).paused, 'neither pause is left')
  t.same(await stack.database.query('SELECT 1 FROM token_guards WHERE tripped_at IS NOT NULL'), [])
  await stack.simulator.waitFor((pushes) => pushes.length === 1)
  t.match((await send(stack, user)).body.responseObject.result.ios, { sent: 1 })
})

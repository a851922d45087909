// A campaign's way through the whole test stack, once on each back end of the queues.
import t, { type Test } from 'tap'
import type { Platform } from '@push-server/contract'
import {
  analyzeDevices,
  APP,
  BACKENDS,
  openTestStack,
  waitFor,
  type TestStack,
  type TestStackOptions,
} from '@push-server/testing'

t.setTimeout(1_800_000)
// Much of the time they wait for intervals, retries and rates.
t.jobs = 3

const PLATFORMS = ['ios', 'android', 'huawei'] as const
const BODY = { title: 'Market closed', body: 'We open again on Monday.' }
const ZERO = { sent: 0, pending: 0, failed: 0, total: 0 }

interface Crowd {
  users: number
  /** Devices of each user on each of the platforms. */
  each?: number
  platforms?: readonly Platform[]
  appId?: string
  /** What users' names and tokens begin with; hexadecimal. */
  prefix?: string
}

/** Users `<prefix>1` and so on, with devices whose tokens begin with the prefix. */
async function registerCrowd(stack: TestStack, crowd: Crowd): Promise<string[]> {
  const { users, each = 1, platforms = ['ios'], appId = APP, prefix = 'a' } = crowd
  await stack.database.query(
    `INSERT INTO devices (application_id, user_id, activation_id, platform, token, bucket, active, registered_at)
     SELECT a.id, $5 || n, left(md5($1 || $5 || platform || n || '-' || phone), 37), platform,
       $5 || lpad(to_hex(n * 1000 + phone), 64 - length($5), '0'), (n * 7 + phone) % 1024, true, now() - interval '1 hour'
     FROM applications a, generate_series(1, $2::int) n, generate_series(1, $3::int) phone, unnest($4::text[]) platform
     WHERE a.app_id = $1`,
    [appId, users, each, platforms, prefix],
  )
  await analyzeDevices(stack.database)
  return Array.from({ length: users }, (_, index) => `${prefix}${index + 1}`)
}

async function createCampaign(stack: TestStack, users: readonly string[], appId = APP): Promise<string> {
  const created = await stack.api.post('/push/campaign/create', { appId, message: BODY })
  const id: string = created.body.responseObject.id
  if (users.length > 0) await stack.api.post(`/push/campaign/${id}/user/add`, users)
  return id
}

const detailOf = async (stack: TestStack, id: string) =>
  (await stack.api.get(`/push/campaign/${id}/detail`)).body.responseObject
const progressOf = async (stack: TestStack, id: string) =>
  (await stack.api.get(`/push/campaign/${id}/progress`)).body.responseObject
const sendLive = (stack: TestStack, id: string, query = '') =>
  stack.api.post(`/push/campaign/send/live/${id}${query}`, {})
/** Far enough for a machine that is busy: its time comes when the test says so. */
const IN_AN_HOUR = new Date(Date.now() + 3_600_000).toISOString()

/** The campaign's time has passed, so long ago. */
const passTime = (stack: TestStack, id: string, ago = '0 h') =>
  stack.database.query('UPDATE runs SET scheduled_at = now() - $2::interval WHERE campaign_id = $1', [id, ago])

const act = (stack: TestStack, id: string, name: string) => stack.api.post(`/push/campaign/${id}/${name}`, {})

const stateOf = async (stack: TestStack, id: string) => (await detailOf(stack, id)).state
const settled = (stack: TestStack, id: string) =>
  waitFor(`campaign ${id} to be sent`, async () => (await stateOf(stack, id)) === 'sent')

async function open(t: Test, options: TestStackOptions = {}): Promise<TestStack> {
  const stack = await openTestStack(options)
  t.teardown(() => stack.close())
  return stack
}

for (const backend of BACKENDS)
  t.test(`campaigns on ${backend.name}`, { skip: backend.skip }, async (t) => {
    const stack = await open(t, { backend })
    await stack.configure(APP, PLATFORMS)

    t.test('three platforms: everybody once, and the figures add up', async (t) => {
      const users = await registerCrowd(stack, { users: 1200, platforms: PLATFORMS, prefix: 'a' })
      const id = await createCampaign(stack, users)
      t.match(await detailOf(stack, id), { state: 'created', paused: false, sent: false, message: BODY })
      t.notOk((await detailOf(stack, id)).result)
      const response = await sendLive(stack, id)
      t.same(response.body, { status: 'OK' })
      await settled(stack, id)
      const detail = await detailOf(stack, id)
      const all = { sent: 1200, pending: 0, failed: 0, total: 1200 }
      t.same(detail.result, { ios: all, android: all, huawei: all })
      t.same(detail.reasons, {})
      t.equal(detail.sent, true)
      for (const name of ['timestampCreated', 'timestampSent', 'timestampCompleted'])
        t.match(detail[name], /^\d{4}-.*\+00:00$/, name)
      const stats = stack.simulator.stats()
      for (const platform of PLATFORMS) t.match(stats[platform], { received: 1200, distinctTokens: 1200 }, platform)
      const [left] = await stack.database.query(
        `SELECT count(*)::int AS n FROM chunks WHERE run_id IS NOT NULL AND tokens <> '{}'`,
      )
      t.same(left, { n: 0 }, 'no tokens are kept once a chunk has settled')
    })

    t.test('failures are listed by user, platform and reason', async (t) => {
      const users = await registerCrowd(stack, { users: 600, prefix: 'b' })
      stack.simulator.respondTo(`b${'0'.repeat(59)}`, { status: 400, reason: 'PayloadEmpty' })
      const id = await createCampaign(stack, users)
      await sendLive(stack, id)
      await settled(stack, id)
      const { result, reasons } = await detailOf(stack, id)
      const failed: number = result.ios.failed
      t.ok(failed > 0 && failed < 600, `${failed} of 600 failed`)
      t.same(reasons, { PayloadEmpty: failed })
      const pages = [await stack.api.get(`/push/campaign/${id}/failures?size=2`)]
      t.match(pages[0]?.body, { page: 0, size: 2, responseObject: [{ platform: 'ios', reason: 'PayloadEmpty' }, {}] })
      const all = await stack.api.get(`/push/campaign/${id}/failures?size=2000`)
      const reported: string[] = all.body.responseObject.map((failure: { userId: string }) => failure.userId)
      t.equal(reported.length, failed)
      t.equal(new Set(reported).size, failed, 'each once')
      const second = await stack.api.get(`/push/campaign/${id}/failures?size=2&page=1`)
      t.same(second.body.responseObject, all.body.responseObject.slice(2, 4), 'pages follow each other')
    })

    t.test('nobody: a campaign without users is sent at once', async (t) => {
      const id = await createCampaign(stack, [])
      await sendLive(stack, id)
      await settled(stack, id)
      t.same((await detailOf(stack, id)).result, { ios: ZERO, android: ZERO, huawei: ZERO })
    })

    t.test('a second live send is refused while one runs and afterwards, unless `resend` says so', async (t) => {
      const users = await registerCrowd(stack, { users: 10, prefix: 'c' })
      const id = await createCampaign(stack, users)
      const responses = await Promise.all(Array.from({ length: 5 }, () => sendLive(stack, id)))
      t.same(responses.map(({ status }) => status).sort(), [200, 400, 400, 400, 400], 'one of five at once starts it')
      await settled(stack, id)
      const refused = await sendLive(stack, id)
      t.match(refused.body.responseObject, { code: 'ERROR_GENERIC', message: 'Campaign was already sent' })
      t.equal((await sendLive(stack, id, '?resend=true')).status, 200)
      const runs = () => stack.database.query('SELECT state FROM runs WHERE campaign_id = $1 ORDER BY id', [id])
      await waitFor('both runs to settle', async () =>
        (await runs()).every((run) => 'state' in run && run.state === 'sent'),
      )
      t.equal((await runs()).length, 2)
      const received = stack.simulator.pushes.filter(({ token }) => token.startsWith('c'))
      t.equal(received.length, 20, 'everybody twice')
    })

    t.test('pause, resume and cancel take effect inside a chunk; nobody is pushed twice or forgotten', async (t) => {
      // Several times as long for the whole as a pause may take to be noticed.
      stack.simulator.setLatency(600)
      t.teardown(() => stack.simulator.setLatency(0))
      const users = await registerCrowd(stack, { users: 500, each: 12, prefix: 'd' })
      const received = () => stack.simulator.pushes.filter(({ token }) => token.startsWith('d'))
      const id = await createCampaign(stack, users)
      t.match((await act(stack, id, 'pause')).body.responseObject, { message: 'Campaign is created' })
      await sendLive(stack, id)
      await waitFor('some to arrive', () => received().length > 0)
      t.equal((await act(stack, id, 'pause')).status, 200)
      t.match(await progressOf(stack, id), { paused: true })
      await waitFor('nothing to be in hand', async () => {
        const [row] = await stack.database.query<{ n: number }>(
          'SELECT count(*)::int AS n FROM chunks WHERE run_id IS NOT NULL AND lease_until > now()',
        )
        return row?.n === 0
      })
      const held = received().length
      t.ok(held > 0 && held < 6000, `${held} of 6000 before the pause`)
      const { result } = await detailOf(stack, id)
      t.equal(result.ios.sent, held, 'what was sent is known')

      t.equal((await act(stack, id, 'resume')).status, 200)
      await settled(stack, id)
      t.equal(received().length, 6000, 'each once')
      t.equal(new Set(received().map(({ token }) => token)).size, 6000, 'all of them')
      t.match((await act(stack, id, 'cancel')).body.responseObject, { message: 'Campaign is sent' })

      await sendLive(stack, id, '?resend=true')
      await waitFor('the second run to push', () => received().length > 6000)
      t.equal((await act(stack, id, 'cancel')).status, 200)
      t.equal(await stateOf(stack, id), 'cancelled')
      const total = await waitFor('all chunks to close', async () => {
        const { result: now } = await detailOf(stack, id)
        return now.ios.pending === 0 && now.ios
      })
      t.equal(total.sent, received().length - 6000, 'what was sent stays sent')
      t.equal(total.total, 6000)
      const detail = await detailOf(stack, id)
      t.same(detail.reasons, { Cancelled: 6000 - total.sent })
      t.equal(detail.sent, true, 'of the first run')
      t.equal((await sendLive(stack, id)).status, 400, 'some have it: whom to send it to has to be said')
      t.equal((await sendLive(stack, id, '?resend=all')).status, 200)
      await act(stack, id, 'cancel')
    })

    t.test('progress never goes backwards, never past the total, and ends at it', async (t) => {
      stack.simulator.setLatency({ min: 1, max: 40 })
      t.teardown(() => stack.simulator.setLatency(0))
      const users = await registerCrowd(stack, { users: 4000, platforms: ['ios', 'android'], prefix: 'e' })
      const id = await createCampaign(stack, users)
      await sendLive(stack, id)
      const seen: { state: string; sent?: number; total?: number; pushesPerSecond: number }[] = []
      await waitFor('the end', async () => {
        const progress = await progressOf(stack, id)
        seen.push(progress)
        return progress.state === 'sent'
      })
      const sent = seen.map((progress) => progress.sent ?? 0)
      t.same(
        sent,
        sent.toSorted((a, b) => a - b),
        `${seen.length} polls, never backwards`,
      )
      for (const { total } of seen) if (total !== undefined) t.equal(total, 8000)
      t.match(seen.at(-1), { sent: 8000, failed: 0, pending: 0, total: 8000, pushesPerSecond: 0 })
    })

    t.test('retries: what a provider refuses for now is tried again, and only that', async (t) => {
      const users = await registerCrowd(stack, { users: 300, prefix: 'f' })
      const failing = `f${'0'.repeat(58)}`
      stack.simulator.respondTo(failing, { status: 503, reason: 'ServiceUnavailable' })
      const id = await createCampaign(stack, users)
      await sendLive(stack, id)
      const [chunk] = await waitFor('the first round', async () => {
        const rows = await stack.database.query<{ retries: object; sent: number }>(
          `SELECT c.retries, c.sent FROM chunks c JOIN runs r ON r.id = c.run_id WHERE r.campaign_id = $1 AND c.try > 0`,
          [id],
        )
        return rows.length > 0 && rows
      })
      t.ok(chunk && Object.keys(chunk.retries).length > 0, 'attempts and the next attempt are kept')
      stack.simulator.forgetResponses(failing)
      await settled(stack, id)
      t.match(await detailOf(stack, id), { result: { ios: { sent: 300, failed: 0 } } })
      t.equal(stack.simulator.pushes.filter(({ token }) => token.startsWith('f')).length, 300, 'each accepted once')
    })

    t.test('rate: no faster than requested, over all workers, and held within a slice', async (t) => {
      await stack.start('apns')
      const users = await registerCrowd(stack, { users: 1200, prefix: '2a' })
      const id = await createCampaign(stack, users)
      const startedAt = Date.now()
      await sendLive(stack, id, '?rate=400')
      await settled(stack, id)
      const times = stack.simulator.pushes
        .filter(({ token }) => token.startsWith('2a'))
        .map(({ receivedAt }) => +receivedAt - startedAt)
        .toSorted((a, b) => a - b)
      t.equal(times.length, 1200)
      // By count since the start, not by the second: what a busy machine was late with may come together with what follows.
      const ahead = Math.max(...times.map((time, place) => place + 1 - (time / 1000) * 400))
      t.ok(ahead <= 200, `at most ${Math.round(ahead)} ahead of the rate, which are two slices`)
    })

    t.test('scheduled: sent at its time, once, however many schedulers there are', async (t) => {
      await stack.start('scheduler')
      const users = await registerCrowd(stack, { users: 20, prefix: '1a' })
      const id = await createCampaign(stack, users)
      const schedule = (sendAt: string) => stack.api.post(`/push/campaign/${id}/schedule`, { sendAt })
      for (const wrong of ['tomorrow', '2020-01-01T00:00:00Z', '2099-01-01T00:00:00'])
        t.match((await schedule(wrong)).body.responseObject, {
          code: 'ERROR_REQUEST',
          violations: [{ fieldName: 'requestObject.sendAt' }],
        })
      t.equal((await schedule('2099-01-01T00:00:00+01:00')).status, 200)
      t.match(await detailOf(stack, id), { state: 'scheduled', timestampScheduled: '2098-12-31T23:00:00.000+00:00' })
      t.match((await sendLive(stack, id)).body.responseObject, { message: 'Campaign is scheduled' })
      t.equal((await act(stack, id, 'unschedule')).status, 200)
      t.equal(await stateOf(stack, id), 'cancelled')
      t.match((await act(stack, id, 'unschedule')).body.responseObject, { message: 'Campaign is cancelled' })

      t.equal((await schedule(IN_AN_HOUR)).status, 200)
      await passTime(stack, id)
      await settled(stack, id)
      t.equal(stack.simulator.pushes.filter(({ token }) => token.startsWith('1a')).length, 20)

      const late = await createCampaign(stack, users)
      await stack.api.post(`/push/campaign/${late}/schedule`, { sendAt: '2099-01-01T00:00:00Z' })
      await passTime(stack, late, '2 h')
      await waitFor('it to be missed', async () => (await stateOf(stack, late)) === 'missed')
      t.equal((await sendLive(stack, late)).status, 200, 'and may be sent by hand')
      await settled(stack, late)
    })
  })

t.test('de-duplication: one push for each token, over users, activations and partitions', async (t) => {
  const stack = await open(t, {
    environment: { CAMPAIGN_PARTITION: '100' },
    services: ['gateway', 'scheduler', 'apns', 'fcm'],
  })
  await stack.configure(APP, ['ios', 'android'])
  await stack.configure('other', ['ios'])
  const users = await registerCrowd(stack, { users: 500, prefix: 'a' })
  await registerCrowd(stack, { users: 500, prefix: 'b', appId: 'other' })
  await stack.database.query("UPDATE devices SET user_id = 'a' || substr(user_id, 2) WHERE user_id LIKE 'b%'")
  // The same token under other users of the campaign, under one who is in none, and as a phone of another platform.
  await stack.database.query(
    `INSERT INTO devices (application_id, user_id, activation_id, platform, token, bucket, active)
     SELECT application_id, who, left(md5(who || token || platform), 37), kind, token, bucket, true
     FROM devices d, (VALUES ('a7', 'ios'), ('a8', 'ios'), ('stranger', 'ios'), ('a9', 'android')) AS more(who, kind)
     WHERE d.user_id = 'a1' AND d.application_id = (SELECT id FROM applications WHERE app_id = '${APP}')`,
  )
  const id = await createCampaign(stack, [...users, ...users.slice(0, 50), 'without-a-phone'])
  await sendLive(stack, id)
  await settled(stack, id)
  const { result } = await detailOf(stack, id)
  t.match(result, { ios: { sent: 500, total: 500 }, android: { sent: 1, total: 1 } })
  const stats = stack.simulator.stats()
  t.match(stats.ios, { received: 500, distinctTokens: 500 })
  t.match(stats.android, { received: 1 })
  const [partitions] = await stack.database.query(
    'SELECT count(*)::int AS n, sum(devices)::int AS devices FROM run_partitions',
  )
  t.same(partitions, { n: 7, devices: 501 }, 'six partitions and a late one')
})

t.test(
  'the audience is that of the fan-out: who comes later gets nothing, and nor does a device that has gone',
  async (t) => {
    const stack = await open(t, { services: ['gateway'] })
    await stack.configure()
    const users = await registerCrowd(stack, { users: 5, prefix: 'a' })
    const id = await createCampaign(stack, [...users, 'without-a-phone'])
    t.equal((await stack.api.post(`/push/campaign/${id}/schedule`, { sendAt: IN_AN_HOUR })).status, 200)
    await passTime(stack, id)
    t.equal(await stateOf(stack, id), 'scheduled', 'while nobody is there to start it')
    await stack.start('scheduler')
    await waitFor('the fan-out', async () => (await stateOf(stack, id)) === 'sending')
    await stack.register({ userId: 'a1', token: 'c0ffee', activationId: 'new-phone' })
    await stack.register({ userId: 'without-a-phone', token: 'beef', activationId: 'first-phone' })
    await stack.api.post(`/push/campaign/${id}/user/add`, ['late-user'])
    await stack.api.post(`/push/campaign/${id}/user/delete`, ['a3'])
    const [gone] = await stack.database.query<{ token: string }>("SELECT token FROM devices WHERE user_id = 'a2'")
    await stack.api.post('/push/device/delete', { appId: APP, token: gone?.token })
    t.same(await stack.database.query("SELECT 1 FROM devices WHERE user_id = 'a2'"), [])
    await stack.start('apns')
    await settled(stack, id)
    t.match(
      (await detailOf(stack, id)).result.ios,
      { sent: 4, failed: 1, total: 5 },
      'the one that has gone is counted',
    )
    t.ok(
      stack.simulator.pushes.every(({ token }) => token.startsWith('a0')),
      'only those of the fan-out',
    )
  },
)

t.test('a run whose fan-out fails keeps no other one waiting', async (t) => {
  const stack = await open(t, { services: ['gateway', 'scheduler', 'apns'] })
  await stack.configure()
  const users = await registerCrowd(stack, { users: 5, prefix: 'a' })
  const [broken, refused, good] = [
    await createCampaign(stack, users),
    await createCampaign(stack, users),
    await createCampaign(stack, users),
  ]
  await stack.database.query(
    `CREATE FUNCTION disturb() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       IF (SELECT campaign_id FROM runs WHERE id = NEW.run_id) = ${broken} THEN RAISE EXCEPTION 'out of order'; END IF;
       IF (SELECT campaign_id FROM runs WHERE id = NEW.run_id) = ${refused} THEN
         RAISE EXCEPTION 'not accepted' USING ERRCODE = 'check_violation'; END IF;
       RETURN NEW; END $$`,
  )
  await stack.database.query('CREATE TRIGGER disturb BEFORE INSERT ON chunks FOR EACH ROW EXECUTE FUNCTION disturb()')
  for (const id of [broken, refused, good]) await sendLive(stack, id)
  await settled(stack, good)
  await waitFor('the refused one to fail', async () => (await stateOf(stack, refused)) === 'failed')
  t.match((await act(stack, refused, 'pause')).body.responseObject, { message: 'Campaign is failed' })
  t.equal(await stateOf(stack, broken), 'fanning-out', 'tried again until its fan-out succeeds')
  await stack.database.query('DROP TRIGGER disturb ON chunks')
  await settled(stack, broken)
  t.equal((await sendLive(stack, refused)).status, 400, 'a failed one may have reached some')
  t.equal((await sendLive(stack, refused, '?resend=unreached')).status, 200)
  await settled(stack, refused)
  t.equal(stack.simulator.pushes.length, 15)
})

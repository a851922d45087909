// Campaigns that are sent again: whom each of the ways reaches, what is asked before, and what becomes of processes that know none of them.
import { randomUUID } from 'node:crypto'
import { APP, openTestStack, waitFor, type TestStack, type TestStackOptions } from '@push-server/testing'
import t, { type Test } from 'tap'

t.setTimeout(600_000)

async function open(t: Test, options: TestStackOptions = {}): Promise<TestStack> {
  const stack = await openTestStack(options)
  t.teardown(() => stack.close())
  await stack.configure()
  return stack
}

const newToken = () => randomUUID().replaceAll('-', '')
const sendLive = (stack: TestStack, id: string, resend?: string) =>
  stack.api.post(`/push/campaign/send/live/${id}${resend === undefined ? '' : `?resend=${resend}`}`, {})
const act = (stack: TestStack, id: string, name: string) => stack.api.post(`/push/campaign/${id}/${name}`, {})
const get = async (stack: TestStack, id: string, what: string) =>
  (await stack.api.get(`/push/campaign/${id}/${what}`)).body.responseObject
const stateOf = async (stack: TestStack, id: string): Promise<string> => (await get(stack, id, 'detail')).state
const settled = (stack: TestStack, id: string) => waitFor('the run', async () => (await stateOf(stack, id)) === 'sent')
const countOf = async (stack: TestStack, id: string, resend: string) => {
  const { users, devices } = await get(stack, id, `audience?resend=${resend}`)
  return [users, devices]
}

async function createCampaign({ api }: TestStack, users: readonly string[]): Promise<string> {
  const { body } = await api.post('/push/campaign/create', { appId: APP, message: { title: 'Market closed' } })
  const id: string = body.responseObject.id
  await api.post(`/push/campaign/${id}/user/add`, users)
  return id
}

/** Which of the names have got a push by each run: `take` empties the list. */
function listen(stack: TestStack, tokens: Readonly<Record<string, string>>) {
  const names = new Map(Object.entries(tokens).map(([name, token]) => [token, name]))
  let seen = stack.simulator.pushes.length
  return {
    take() {
      const pushes = stack.simulator.pushes.slice(seen)
      seen = stack.simulator.pushes.length
      return pushes.map(({ token }) => names.get(token) ?? token).toSorted()
    },
  }
}

for (const [name, partition] of [
  ['one partition', '50000'],
  ['many partitions', '1'],
] as const)
  t.test(`whom each way reaches: ${name}`, async (t) => {
    const stack = await open(t, { environment: { CAMPAIGN_PARTITION: partition } })
    const tokens = { reached: newToken(), half: newToken(), other: newToken(), none: newToken() }
    for (const [userId, token] of [
      ['reached', tokens.reached],
      ['half', tokens.half],
      ['half', tokens.other],
      ['none', tokens.none],
    ] as const)
      await stack.register({ userId, token, activationId: randomUUID() })
    for (const token of [tokens.other, tokens.none]) stack.simulator.respondTo(token, { status: 413, times: 1 })
    const id = await createCampaign(stack, ['reached', 'half', 'none', 'without-a-phone'])
    const heard = listen(stack, tokens)
    for (const resend of ['all', 'unreached', 'unreached-devices'])
      t.same(await countOf(stack, id, resend), [3, 4], `before: ${resend} is everybody`)
    t.equal((await sendLive(stack, id)).status, 200)
    await settled(stack, id)
    t.same(heard.take(), ['half', 'reached'], 'the others were refused')

    t.same(await countOf(stack, id, 'all'), [3, 4])
    t.same(await countOf(stack, id, 'unreached'), [1, 1])
    t.same(await countOf(stack, id, 'unreached-devices'), [2, 2])
    t.same(await get(stack, id, 'audience'), {
      resend: 'all',
      users: 3,
      devices: 4,
      platforms: { ios: 4, android: 0, huawei: 0 },
    })
    const refused = await sendLive(stack, id)
    t.match([refused.status, refused.body.responseObject.message], [400, 'Campaign was already sent'])

    const { body } = await sendLive(stack, id, 'unreached')
    t.same(body, { status: 'OK' }, 'the response stays as it is')
    await settled(stack, id)
    t.same(heard.take(), ['none'], 'the user without any phone that has it')
    t.match((await get(stack, id, 'detail')).result.ios, { sent: 1, total: 1 })

    t.same(await countOf(stack, id, 'unreached'), [0, 0])
    t.same(await countOf(stack, id, 'unreached-devices'), [1, 1], 'both runs count')
    await sendLive(stack, id, 'unreached-devices')
    await settled(stack, id)
    t.same(heard.take(), ['other'], 'the phone that no run has reached')
    await sendLive(stack, id, 'unreached')
    await settled(stack, id)
    t.same(heard.take(), [], 'nobody is left')

    const late = newToken()
    await stack.register({ userId: 'half', token: late, activationId: randomUUID() })
    t.same(
      [await countOf(stack, id, 'unreached'), await countOf(stack, id, 'unreached-devices')],
      [
        [0, 0],
        [1, 1],
      ],
    )
    for (const token of [tokens.reached, tokens.none]) stack.simulator.respondTo(token, { status: 413, times: 1 })
    await sendLive(stack, id, 'true')
    await settled(stack, id)
    t.equal(heard.take().length, 3, '`true` is everybody, again; two were refused')
    t.same(await countOf(stack, id, 'unreached'), [2, 2], 'what counts begins with the last one to all')
    const notes = () => stack.database.query('SELECT 1 FROM run_reached')
    await waitFor('the notes to go', async () => (await notes()).length === 0)
  })

t.test('a cancelled run that is started again reaches nobody twice, and says so before', async (t) => {
  const stack = await open(t)
  const tokens: Record<string, string> = {}
  for (let count = 0; count < 40; count++) {
    const userId = `u${count}`
    tokens[userId] = newToken()
    await stack.register({ userId, token: tokens[userId] ?? '', activationId: randomUUID() })
  }
  const id = await createCampaign(stack, Object.keys(tokens))
  await stack.api.post(`/push/campaign/send/live/${id}?rate=10`, {})
  await waitFor('some pushes', () => stack.simulator.pushes.length > 0)
  t.equal((await act(stack, id, 'cancel')).status, 200)
  for (const response of [
    await sendLive(stack, id),
    await sendLive(stack, id, 'false'),
    await stack.api.post(`/push/campaign/${id}/schedule`, { sendAt: '2099-01-01T00:00:00Z' }),
  ])
    t.match(
      [response.status, response.body.responseObject.message],
      [400, 'Campaign is cancelled, and may have reached some: say with resend whom to send it to'],
    )
  const scheduled = { sendAt: '2099-01-01T00:00:00Z', resend: 'all' }
  t.equal((await stack.api.post(`/push/campaign/${id}/schedule`, scheduled)).status, 200, 'said, it is scheduled')
  t.equal((await act(stack, id, 'unschedule')).status, 200)
  t.equal((await sendLive(stack, id)).status, 400, 'the run before has not been forgotten')

  t.equal((await sendLive(stack, id, 'unreached')).status, 200)
  await settled(stack, id)
  const pushed = stack.simulator.pushes.map(({ token }) => token)
  t.equal(new Set(pushed).size, 40, 'everybody has it')
  t.equal(pushed.length, 40, 'once')
})

t.test('what never started starts freely', async (t) => {
  const stack = await open(t, { services: ['gateway', 'scheduler'] })
  const schedule = (id: string) => stack.api.post(`/push/campaign/${id}/schedule`, { sendAt: '2099-01-01T00:00:00Z' })
  const [unscheduled, missed] = [await createCampaign(stack, []), await createCampaign(stack, [])]
  for (const id of [unscheduled, missed]) await schedule(id)
  await act(stack, unscheduled, 'unschedule')
  await stack.database.query("UPDATE runs SET scheduled_at = now() - interval '2 h' WHERE campaign_id = $1", [missed])
  await waitFor('it to be missed', async () => (await stateOf(stack, missed)) === 'missed')
  for (const id of [unscheduled, missed]) t.equal((await sendLive(stack, id)).status, 200)
})

/** As the version before chooses runs to fan out, to fire, and to refuse a start for. */
const FORMER = {
  fansOut: "SELECT id FROM runs WHERE state = 'fanning-out'",
  fires: "SELECT id FROM runs WHERE state = 'scheduled' AND scheduled_at <= now()",
  isActive: "SELECT id FROM runs WHERE state IN ('scheduled', 'fanning-out', 'sending')",
}

t.test('a run to some: schedulers of the version before leave it alone, and it can be held and ended', async (t) => {
  const stack = await open(t, { services: ['gateway'] })
  const id = await createCampaign(stack, ['nobody'])
  await sendLive(stack, id)
  await act(stack, id, 'cancel')
  t.equal((await sendLive(stack, id, 'unreached')).status, 200)
  t.same(await stack.database.query(FORMER.fansOut), [], 'they would fan it out to everybody')
  t.same(await stack.database.query(FORMER.fires), [])
  t.equal((await stack.database.query(FORMER.isActive)).length, 1, 'their gateways start no other one beside it')

  const refusedWith = async (name: string) => (await act(stack, id, name)).body.responseObject?.message
  t.match(await get(stack, id, 'detail'), { state: 'fanning-out', paused: false, timestampScheduled: undefined })
  t.match(await get(stack, id, 'progress'), { state: 'fanning-out', sent: 0 })
  t.equal((await sendLive(stack, id, 'all')).body.responseObject.message, 'Campaign is fanning-out')
  t.equal(await refusedWith('unschedule'), 'Campaign is fanning-out')
  const removal = await stack.api.call('DELETE', `/push/campaign/${id}/delete`)
  t.equal(removal.body.responseObject.message, 'Campaign is fanning-out')
  t.equal((await act(stack, id, 'pause')).status, 200)
  t.match(await get(stack, id, 'detail'), { state: 'fanning-out', paused: true })
  t.equal((await act(stack, id, 'resume')).status, 200)
  t.equal((await act(stack, id, 'cancel')).status, 200)
  t.equal(await stateOf(stack, id), 'cancelled')
  t.equal((await sendLive(stack, id, 'unreached-devices')).status, 200)
  await stack.start('scheduler')
  await settled(stack, id)
})

t.test('a push that a worker has in hand is waited for, and users of chunks without users are found', async (t) => {
  const stack = await open(t, { services: ['gateway', 'scheduler'] })
  const { chunks, runChunks } = stack.context.store
  const users = ['in-hand', 'other']
  for (const userId of users) await stack.register({ userId, token: newToken(), activationId: randomUUID() })
  const id = await createCampaign(stack, users)
  await sendLive(stack, id)
  const chunkId = await waitFor('the fan-out', async () => {
    const [row] = await stack.database.query<{ id: string }>('SELECT id FROM chunks')
    return row && Number(row.id)
  })
  await waitFor('its end', async () => (await stateOf(stack, id)) === 'sending')
  const [claim] = await chunks.claim([chunkId], 'worker', 60_000)
  if (!claim || typeof claim === 'string' || !claim.outcomes) throw new Error('not claimed')
  await act(stack, id, 'cancel')
  await sendLive(stack, id, 'unreached')
  await stack.database.query("UPDATE runs SET sampled_at = now() - interval '1 min' WHERE settled_at IS NULL")
  const sampled = () =>
    stack.database.query("SELECT 1 FROM runs WHERE settled_at IS NULL AND sampled_at > now() - interval '30 s'")
  await waitFor('a step of the scheduler', async () => (await sampled()).length > 0)
  t.same(
    await stack.database.query(
      'SELECT 1 FROM run_partitions p JOIN runs r ON r.id = p.run_id WHERE r.audience IS NOT NULL',
    ),
    [],
  )
  t.equal(await stateOf(stack, id), 'fanning-out', 'whom the push reaches is not known yet')

  const outcomes = { ...claim.outcomes, bytes: Buffer.from([1, 1]), sent: 2 }
  await runChunks.release(claim, 'worker', { outcomes, deadTokens: [], dueAt: null })
  await stack.database.query(`UPDATE chunks SET user_ids = '{}' WHERE id = $1`, [chunkId])
  await settled(stack, id)
  t.equal((await stack.database.query('SELECT 1 FROM chunks')).length, 1, 'both have it: no chunk was made')
  t.same(await countOf(stack, id, 'unreached'), [0, 0])
})

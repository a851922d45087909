// `npm run test:mixed`: gateway, workers and scheduler of a former commit beside those of this tree, in either order and both at
// once, on one database and one queue. A deployment replaces processes one by one; each commit works beside the one before.
import t, { type Test } from 'tap'
import { PLATFORMS } from '@push-server/contract'
import { BACKENDS, openTree, THIS_TREE, waitFor } from '@push-server/testing'
import {
  arrivals,
  configure,
  importPhones,
  importUsers,
  openMixed,
  phonesOf,
  pushedBy,
  pushesWith,
  registerPhones,
  request,
  tokensOf,
  uploadApnsKey,
  WITHIN_MS,
  type Arrangement,
  type Mixed,
} from './_mixed.ts'

t.setTimeout(1_800_000)

const FORMER = process.env.TEST_FORMER_COMMIT
if (FORMER === undefined) throw new Error('TEST_FORMER_COMMIT is required; npm run test:mixed sets it')
const former = await openTree(FORMER)
const both = [former, THIS_TREE]
const ARRANGEMENTS: Record<string, Arrangement> = {
  'the gateway of the former commit, workers and scheduler of this tree': { gateways: [former], others: [THIS_TREE] },
  'the gateway of this tree, workers and scheduler of the former commit': { gateways: [THIS_TREE], others: [former] },
  'everything of both at once': { gateways: both, others: both },
}
const SENT_ONE = { sent: 1, pending: 0, failed: 0, total: 1 }

for (const backend of BACKENDS)
  for (const [name, arrangement] of Object.entries(ARRANGEMENTS))
    t.test(`${backend.name}: ${name}`, { skip: backend.skip }, async (t) => {
      const mixed = await openMixed(t, backend, arrangement)
      await t.test('a journey on three platforms', (t) => journey(t, mixed))
      await t.test('a campaign', (t) => campaign(t, mixed))
      await t.test('credentials that change while messages are sent', (t) => credentialsChange(t, mixed))
      await t.test('chunks are settled, and no process has ended', async (t) => {
        await waitFor('every chunk to settle', async () => (await openChunks(mixed)) === 0, WITHIN_MS)
        for (const member of mixed.members) t.ok(member.isRunning(), member.name)
      })
    })

for (const backend of BACKENDS)
  t.test(`${backend.name}: an upgrade, one process after the other`, { skip: backend.skip }, async (t) => {
    const mixed = await openMixed(t, backend, { gateways: [former], others: [former] })
    const appId = 'upgraded'
    const phones = phonesOf(appId, 1)
    await configure(mixed, appId)
    await registerPhones(mixed, appId, phones)
    const before = await rowsOfDevices(mixed)
    t.equal(before.length, phones.length)
    const texts: string[] = []
    const sendNext = async () => {
      const text = `upgrade-${texts.length}`
      texts.push(text)
      await send(mixed, { appId, text, mode: 'ASYNCHRONOUS' })
    }
    await sendNext()
    await mixed.replace(THIS_TREE, sendNext)
    for (const text of texts) await arrive(mixed, text, phones.length)
    for (const text of texts) t.same(arrivals(mixed, text), tokensOf(phones), `${text}: on each phone once`)
    t.same(await rowsOfDevices(mixed), before, 'devices of the former commit go on as they were')
    await registerPhones(mixed, appId, phones)
    t.same(await rowsOfDevices(mixed), before, 'registered again they keep their rows')
  })

const rowsOfDevices = ({ stack }: Mixed) =>
  stack.database.query('SELECT id, platform, user_id, activation_id, token, dropped_at FROM devices ORDER BY id')

async function journey(t: Test, mixed: Mixed): Promise<void> {
  const appId = 'journey'
  const phones = phonesOf(appId, 1)
  await configure(mixed, appId)
  await registerPhones(mixed, appId, phones)
  // Twice, so that with two gateways each of them accepts one.
  for (const text of ['sync-1', 'sync-2']) {
    const { result } = await send(mixed, { appId, text, mode: 'SYNCHRONOUS' })
    t.same(result, { ios: SENT_ONE, android: SENT_ONE, huawei: SENT_ONE }, text)
  }
  for (const text of ['async-1', 'async-2']) {
    const { messageIds } = await send(mixed, { appId, text, mode: 'ASYNCHRONOUS' })
    await arrive(mixed, text, phones.length)
    await waitFor(`the message ${text} to be recorded as sent`, () => isRecorded(mixed, messageIds[0]), WITHIN_MS)
  }
  for (const text of ['sync-1', 'sync-2', 'async-1', 'async-2'])
    t.same(arrivals(mixed, text), tokensOf(phones), `${text}: on each phone once`)
}

async function campaign(t: Test, mixed: Mixed): Promise<void> {
  const appId = 'campaign'
  const phones = phonesOf(appId, 300)
  await configure(mixed, appId)
  await importPhones(mixed, appId, phones)
  const message = { title: 'Market', body: 'to everybody' }
  const { id } = await request(mixed, '/push/campaign/create', { appId, message })
  await importUsers(mixed, id, phones)
  await request(mixed, `/push/campaign/send/live/${id}`, {})
  let progress: unknown
  const isSent = async () => {
    progress = (await mixed.api().get(`/push/campaign/${id}/progress`)).body.responseObject
    return (progress as { state: string }).state === 'sent'
  }
  await waitFor('the campaign to be sent', isSent, WITHIN_MS).catch((cause: unknown) => {
    throw new Error(`The campaign was not sent: ${JSON.stringify(progress)}`, { cause })
  })
  t.match(progress, { sent: phones.length, failed: 0, total: phones.length })
  t.same(arrivals(mixed, 'to everybody'), tokensOf(phones), 'on each phone once')
}

async function credentialsChange(t: Test, mixed: Mixed): Promise<void> {
  const appId = 'renewed'
  const phones = phonesOf(appId, 20)
  await configure(mixed, appId)
  await importPhones(mixed, appId, phones)
  const texts: string[] = []
  const sendToAll = async () => {
    const text = `renewed-${texts.length}`
    texts.push(text)
    const userIds = [...new Set(phones.map(({ userId }) => userId))]
    const batch = userIds.map((userId) => ({ userId, body: { title: 'News', body: text } }))
    await request(mixed, '/push/message/batch/send', { appId, batch, mode: 'ASYNCHRONOUS' })
  }
  for (let round = 0; round < 3; round++) await sendToAll()
  const renewed = { bundle: 'com.example.afterwards', keyId: 'KEYIDAFTER' }
  const changing = uploadApnsKey(mixed, appId, renewed)
  for (let round = 0; round < 3; round++) await sendToAll()
  await changing
  await sendToAll()
  // Which worker takes a chunk is chance, so more is sent until all of them had one.
  await waitFor('every worker to have pushed', async () => (await haveAllPushed(mixed)) || sendToAll(), WITHIN_MS)

  for (const text of texts) await arrive(mixed, text, phones.length)
  const wrong = texts.filter((text) => arrivals(mixed, text).join() !== tokensOf(phones).join())
  t.same(wrong, [], `${texts.length} messages to each phone, each of them once`)
  const topics = (text: string) =>
    new Set(pushesWith(mixed.stack, text).flatMap(({ headers }) => headers['apns-topic'] ?? []))
  t.same([...topics('renewed-0')], ['com.example.renewed'], 'first with the former credentials')
  t.same([...topics('renewed-6')], [renewed.bundle], 'sent after the change: with the new ones')
}

async function haveAllPushed({ workers }: Mixed): Promise<boolean> {
  const counts = await Promise.all(workers.map(pushedBy))
  return counts.every((count) => count > 0)
}

const send = (mixed: Mixed, { appId, text, mode }: { appId: string; text: string; mode: string }) =>
  request(mixed, '/push/message/send', {
    appId,
    message: { userId: `${appId}-0`, body: { title: 'News', body: text } },
    mode,
  })

/** As many as there are phones; whether it was each of them once is checked afterwards. */
async function arrive(mixed: Mixed, text: string, count: number): Promise<void> {
  const have = () => arrivals(mixed, text).length
  await waitFor(`${count} pushes of ${text}`, () => have() >= count, WITHIN_MS).catch((cause: unknown) => {
    throw new Error(`${text} arrived on ${have()} of ${count} phones`, { cause })
  })
}

async function isRecorded(mixed: Mixed, messageId: string): Promise<boolean> {
  const { body } = await mixed.api().get(`/push/message/${messageId}`)
  const deliveries: { status: string }[] = body.responseObject.deliveries
  return deliveries.length === PLATFORMS.length && deliveries.every(({ status }) => status === 'sent')
}

async function openChunks({ stack }: Mixed): Promise<number> {
  const [row] = await stack.database.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM chunks WHERE settled_at IS NULL',
  )
  return row?.count ?? NaN
}

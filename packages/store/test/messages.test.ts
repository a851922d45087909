// Who gets a message, and what is stored of it, on a real PostgreSQL.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { Registration } from '../src/index.ts'
import {
  audienceOf,
  makeApplication,
  message,
  openFixture,
  recipient,
  registration,
  storeOne,
  tallyOf,
} from './_fixtures.ts'

const fixture = await openFixture()
const { database, store } = fixture
t.teardown(() => fixture.close())

const register = (device: Registration) => store.devices.register([device], { several: 'refuse' })

t.test('messages: the audience', async (t) => {
  t.equal(await audienceOf(store, 'no such application', ['a']), undefined)
  const { appId, id } = await makeApplication(fixture)
  t.same(await audienceOf(store, appId, ['a']), {
    applicationId: id,
    configured: [],
    rawBlocks: false,
    huaweiApis: null,
    recipients: [],
  })

  for (const platform of ['ios', 'huawei'] as const)
    await store.credentials.put({ applicationId: id, platform }, { settings: {}, secret: Buffer.from('secret') })
  const older = registration(id, { userId: 'a' })
  const newer = registration(id, { userId: 'a', platform: 'android', active: false })
  const ofB = registration(id, { userId: 'b', environment: 'production' })
  const gone = registration(id, { userId: 'a' })
  for (const device of [newer, older, ofB, gone, registration(id, { userId: 'c' })]) await register(device)
  await register(registration((await makeApplication(fixture)).id, { userId: 'a' }))
  const age = (device: Registration, seconds: number) =>
    database.query("UPDATE devices SET registered_at = now() - $2 * interval '1 s' WHERE activation_id = $1", [
      device.activationId,
      seconds,
    ])
  await age(older, 3600)
  await age(ofB, 60)
  await database.query('UPDATE devices SET dropped_at = now() WHERE activation_id = $1', [gone.activationId])

  const audience = await audienceOf(store, appId, ['a', 'b', 'nobody'])
  t.same(audience?.configured.toSorted(), ['huawei', 'ios'])
  t.match(
    audience?.recipients,
    [newer, older, ofB].map(({ applicationId: _, ...device }) => device),
    'latest registration first',
  )
  t.equal(audience?.recipients.length, 3)
  t.type(audience?.recipients[0]?.deviceId, 'number')
})

t.test('messages: what is stored', async (t) => {
  const { id } = await makeApplication(fixture)
  const validUntil = Date.UTC(2030, 0, 1)
  const [one, two] = [
    message({ validUntil, silent: true, priority: 'NORMAL' }),
    message({ activationId: 'x', personal: true }),
  ]
  const [iosSeed, androidSeed] = [randomUUID(), randomUUID()]
  const delivery = (messageId: string, seed: string | null, position = 0) => ({
    messageId,
    chunk: seed === null ? null : { seed, position },
    recipient: recipient({ deviceId: 7, environment: 'development' }),
    status: 'pending' as 'pending' | 'failed' | 'skipped',
    reason: null as string | null,
  })
  const chunks = await storeOne(store, {
    applicationId: id,
    messages: [one, two],
    chunks: [
      { seed: iosSeed, platform: 'ios' },
      { seed: androidSeed, platform: 'android' },
    ],
    deliveries: [
      delivery(one.id, iosSeed, 0),
      delivery(two.id, iosSeed, 1),
      delivery(one.id, androidSeed, 0),
      { ...delivery(one.id, null), status: 'failed', reason: 'NotConfigured' },
      { ...delivery(two.id, null), status: 'skipped', reason: 'NotActive' },
    ],
    waiter: 'gateway',
    maxAgeMs: 60_000,
  })
  t.same(chunks.map(({ platform, paused }) => [platform, paused]).toSorted(), [
    ['android', false],
    ['ios', false],
  ])
  t.same(
    await database.query(
      `SELECT platform, lane, total, waiter, try, epoch, sent, failed, owner, reasons,
         expires_at BETWEEN now() + interval '10 s' AND now() + interval '60 s' AS expires, due_at <= now() AS due,
         (SELECT count(*)::int FROM deliveries d WHERE d.chunk_id = chunks.id AND d.status = 'pending') AS deliveries
       FROM chunks WHERE id = ANY($1) ORDER BY platform`,
      [chunks.map((chunk) => chunk.id)],
    ),
    [
      ['android', 1],
      ['ios', 2],
    ].map(([platform, total]) => ({
      platform,
      lane: 'direct',
      total,
      waiter: 'gateway',
      try: 0,
      epoch: 0,
      sent: 0,
      failed: 0,
      owner: null,
      reasons: {},
      expires: true,
      due: true,
      deliveries: total,
    })),
  )
  t.same(
    await database.query(
      'SELECT id, activation_id, priority, silent, personal, body, valid_until FROM messages WHERE id = ANY($1) ORDER BY silent DESC',
      [[one.id, two.id]],
    ),
    [
      {
        id: one.id,
        activation_id: null,
        priority: 'NORMAL',
        silent: true,
        personal: false,
        body: one.body,
        valid_until: new Date(validUntil),
      },
      {
        id: two.id,
        activation_id: 'x',
        priority: 'HIGH',
        silent: false,
        personal: true,
        body: two.body,
        valid_until: null,
      },
    ],
  )
  const counts = (await tallyOf(store, [one.id, two.id])).map(({ platform, status, count }) => [
    platform,
    status,
    count,
  ])
  t.same(counts.toSorted(), [
    ['ios', 'failed', 1],
    ['ios', 'pending', 3],
  ])
  t.same(await tallyOf(store, [two.id]), [{ platform: 'ios', status: 'pending', count: 1 }], 'skipped left out')
  t.same(await tallyOf(store, [randomUUID()]), [])
})

t.test('messages: all of a request is stored, or nothing', async (t) => {
  const { id } = await makeApplication(fixture)
  const [good, bad] = [message(), message({ priority: 'TOO LONG FOR ITS COLUMN' })]
  await t.rejects(
    storeOne(store, {
      applicationId: id,
      messages: [good, bad],
      chunks: [],
      deliveries: [],
      waiter: null,
      maxAgeMs: 1,
    }),
  )
  const seed = randomUUID()
  await t.rejects(
    storeOne(store, {
      applicationId: id,
      messages: [good],
      chunks: [{ seed, platform: 'ios' }],
      deliveries: [
        {
          messageId: good.id,
          chunk: { seed, position: 0 },
          recipient: recipient(),
          status: 'sold' as 'pending',
          reason: null,
        },
      ],
      waiter: null,
      maxAgeMs: 1,
    }),
  )
  t.same(await database.query('SELECT 1 FROM messages WHERE application_id = $1', [id]), [])
  t.same(await database.query('SELECT 1 FROM chunks WHERE application_id = $1', [id]), [])
})

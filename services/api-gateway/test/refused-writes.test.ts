// What callers get while PostgreSQL reads and cannot write, or is too busy to: every writing operation of the description, with
// every error of that kind. The errors come from triggers, with the code that PostgreSQL reports for a full disk, say.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { generateHuaweiAccount, generateUpdates, operationsOf } from '@push-server/testing'
import { APP, base64, credentials, device, json, newToken, openGateway } from './_gateway.ts'

t.setTimeout(120_000)
const gateway = await openGateway()
t.teardown(() => gateway.stack.close())
const { api, database, stack } = gateway

/** Code and what it means. */
const CODES: Readonly<Record<string, string>> = {
  '53100': 'disk full',
  '53200': 'out of memory',
  '58030': 'error of input or output',
  '25006': 'read-only transaction',
  '40P01': 'deadlock',
  '40001': 'serialization failure',
  '55P03': 'lock not available',
  '57014': 'statement cancelled',
}
/** Those that mean that nothing at all can be written. */
const FULL = ['53100', '53200', '58030', '25006']

await database.query(`CREATE SEQUENCE refusals`)
await database.query(`CREATE FUNCTION refuse_write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF nextval('refusals') <= current_setting('test.refusals')::int
    THEN RAISE EXCEPTION 'could not extend file' USING ERRCODE = current_setting('test.code'); END IF;
  RETURN NULL; END $$`)

const tables = await database.query<{ name: string }>(
  "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public' AND tablename !~ 'migration'",
)
await database.query(`ALTER FUNCTION refuse_write() SET test.refusals = '0'`)
await database.query(
  tables
    .map(
      ({ name }) =>
        `CREATE TRIGGER refuse BEFORE INSERT OR UPDATE OR DELETE ON ${name} FOR EACH STATEMENT EXECUTE FUNCTION refuse_write()`,
    )
    .join(';'),
)

/** The next `times` writes fail with the code, while `work` goes on. */
async function refusing<T>(code: string, times: number, work: () => Promise<T>): Promise<T> {
  const set = (name: string, value: string | number) =>
    database.query(`ALTER FUNCTION refuse_write() SET test.${name} = '${value}'`)
  await database.query(`SELECT setval('refusals', 1, false)`)
  await set('code', code)
  await set('refusals', times)
  try {
    return await work()
  } finally {
    await set('refusals', 0)
  }
}
const EVERY = 2 ** 31 - 1

const userId = 'somebody'
const user = [userId]
const app = { appId: APP }
const apns = credentials({ appId: APP })
const hms = { appId: APP, ...generateUpdates.huawei() }
const body = { title: 'T', body: 'B' }
const messageOf = { userId, body }
await stack.configure(APP, ['ios', 'android', 'huawei'])
const huaweiAccount = { appId: APP, projectId: 'test-project', privateKeyBase64: base64(generateHuaweiAccount()) }
// So that there is one to remove.
await api.post('/admin/app/huawei/account/update', huaweiAccount)
await stack.register({ userId, token: newToken() })
const created = await api.post('/push/campaign/create', { appId: APP, message: body })
const campaign = String(created.body.responseObject.id)
await api.post(`/push/campaign/${campaign}/user/add`, [userId])
const sent = await api.post('/push/message/send', { appId: APP, mode: 'ASYNCHRONOUS', message: messageOf })
const failed = String(sent.body.responseObject.messageIds[0])
await stack.database.query(`UPDATE deliveries SET status = 'failed' WHERE message_id = $1`, [failed])
const inbox = { userId, subject: 's', summary: 's', body: 'b', type: 'text', applications: [APP] }
const letter = (await api.post('/inbox/messages', inbox)).body.responseObject.id as string
/** What `{id}` stands for below these paths; elsewhere for the campaign. */
const IDS = { '/push/message/': failed, '/inbox/messages/': letter }
const lineOf = () => JSON.stringify({ activationId: randomUUID(), userId, platform: 'ios', token: newToken() })

interface Write {
  body?: object | string
  query?: string
  /** It stands in no requestObject. */
  isBare?: boolean
}
const fcm = { appId: APP, ...generateUpdates.android() }

/** A request of each operation that writes. Its methods are those of the description. */
const WRITES: Readonly<Record<string, Write>> = {
  '/admin/app/create': { body: { appId: 'another' } },
  '/admin/app/remove': { body: app },
  ...Object.fromEntries(['ios/update', 'apns'].map((path) => [`/admin/app/${path}`, { body: apns }])),
  ...Object.fromEntries(['android/update', 'fcm'].map((path) => [`/admin/app/${path}`, { body: fcm }])),
  ...Object.fromEntries(['huawei/update', 'hms'].map((path) => [`/admin/app/${path}`, { body: hms }])),
  '/admin/app/huawei/account/update': { body: huaweiAccount },
  '/admin/app/huawei/account/remove': { body: app },
  ...Object.fromEntries(
    ['ios', 'android', 'huawei'].map((platform) => [`/admin/app/${platform}/remove`, { body: app }]),
  ),
  ...Object.fromEntries(
    ['ios', 'apns', 'android', 'fcm', 'huawei', 'hms'].map((name) => [`/admin/app/${name}/resume`, { body: app }]),
  ),
  ...Object.fromEntries(
    ['ios', 'apns', 'android', 'fcm', 'huawei', 'hms'].map((name) => [`/admin/app/${name}/check`, { body: app }]),
  ),
  '/admin/app/raw-blocks': { body: { appId: APP, enabled: true } },
  '/push/device/create': { body: device({ activationId: 'one' }) },
  '/push/device/create/multi': { body: { ...device({}), activationId: undefined, activationIds: ['one', 'two'] } },
  '/push/device/status/update': { body: { activationId: 'one', activationStatus: 'BLOCKED' }, isBare: true },
  '/push/device/remove': { body: { appId: APP, token: 'aabb' } },
  '/push/device/delete': { body: { appId: APP, token: 'aabb' } },
  '/push/device/import': { body: lineOf(), query: `appId=${APP}` },
  '/push/message/send': { body: { appId: APP, mode: 'ASYNCHRONOUS', message: messageOf } },
  '/push/message/batch/send': { body: { appId: APP, batch: [messageOf] } },
  '/push/message/{id}': {},
  '/push/message/{id}/resend': {},
  '/push/campaign/create': { body: { appId: APP, message: body } },
  '/push/campaign/{id}/delete': {},
  '/push/campaign/{id}/user/add': { body: user },
  '/push/campaign/{id}/user/delete': { body: user },
  '/admin/app/import': { body: JSON.stringify({ appId: 'imported' }) },
  '/push/campaign/import': {
    body: JSON.stringify({ id: 4000, appId: APP, message: body, timestampCreated: '2026-02-08T12:00:00Z' }),
  },
  '/push/campaign/user/import': { body: JSON.stringify({ campaignId: campaign, userId: 'a third user' }) },
  '/inbox/messages/import': {
    body: JSON.stringify({ ...inbox, id: randomUUID(), timestampCreated: '2026-02-08T12:00:00Z' }),
  },
  '/push/campaign/{id}/user/import': { body: JSON.stringify('another user') },
  '/push/campaign/send/test/{id}': { body: { userId } },
  '/push/campaign/send/live/{id}': {},
  '/push/campaign/{id}/schedule': { body: { sendAt: new Date(Date.now() + 3_600_000).toISOString() } },
  '/push/campaign/{id}/pause': {},
  '/push/campaign/{id}/resume': {},
  '/push/campaign/{id}/cancel': {},
  '/push/campaign/{id}/unschedule': {},
  '/inbox/messages': { body: inbox, query: `userId=${userId}&appId=${APP}` },
  '/inbox/messages/{id}': { query: `userId=${userId}` },
  '/inbox/messages/read': { body: { inboxId: letter }, query: `id=${letter}` },
  '/inbox/messages/read-all': { body: { userId, appId: APP }, query: `userId=${userId}&appId=${APP}` },
}
/** Those that succeed in any order. */
const AGAIN =
  /(\/device\/create|multi|campaign\/create|send|user\/(add|import)|inbox\/messages|ios\/update|(app|device|campaign|messages)\/import)$/
/** They take a body and only read. */
const READS = ['/admin/app/detail', '/push/message/preview', '/push/campaign/preview']

const operations = operationsOf((await api.get('/v3/api-docs')).body)
const writing = operations.filter(({ method, path }) => method !== 'GET' && !READS.includes(path))

function send({ method, path, body: described, parameters }: (typeof operations)[number]) {
  const { body: given, query, isBare = false } = WRITES[path] ?? {}
  const idIn = Object.entries(IDS).find(([start]) => path.startsWith(start))
  const url = path.replace('{id}', idIn?.[1] ?? campaign)
  const takesQuery = Object.keys(parameters.query.properties ?? {}).length > 0
  const target = takesQuery ? `${url}?${query ?? `appId=${APP}`}` : url
  if (!described) return api.call(method, target)
  if (typeof given === 'string')
    return api.call(method, target, { body: given, headers: { 'content-type': described.type } })
  return api.call(method, target, json(isBare ? given : { requestObject: given }))
}

t.test('each operation that is no GET is in one of the tables', async (t) => {
  const known = [...Object.keys(WRITES), ...READS]
  t.same(
    new Set(writing.map(({ path }) => path).filter((path) => !known.includes(path) && !/app\/\w+$/.test(path))),
    new Set(),
  )
})

for (const [code, meaning] of Object.entries(CODES))
  t.test(`${code}, ${meaning}: each of them gets 503 and Retry-After, and reading goes on`, async (t) => {
    await refusing(code, EVERY, async () => {
      const others: string[] = []
      for (const operation of writing) {
        const { status, headers, body: received } = await send(operation)
        const is503 = status === 503 && received.responseObject?.code === 'ERROR_UNAVAILABLE'
        if (is503 && Number(headers.get('retry-after')) > 0) continue
        others.push(`${operation.method} ${operation.path}: ${status} ${JSON.stringify(received)}`)
      }
      t.same(others, [])
      t.equal((await api.get(`/push/device/list?appId=${APP}&userId=${userId}`)).status, 200)
      t.equal((await api.get(`/push/campaign/${campaign}/detail`)).status, 200)
      const ready = await api.get('/health/ready')
      t.equal(ready.status, 200, 'the gateway takes what only reads')
      if (FULL.includes(code)) t.match(ready.body.parts, { 'database writes': { status: 'down', essential: false } })
    })
  })

t.test('a deadlock or two: the same work is done again, and the caller gets what it asked for', async (t) => {
  const others: string[] = []
  for (const operation of writing.filter(({ path }) => AGAIN.test(path))) {
    const { status, body: received } = await refusing('40P01', 2, () => send(operation))
    if (status !== 200) others.push(`${operation.method} ${operation.path}: ${status} ${JSON.stringify(received)}`)
  }
  t.same(others, [])
})

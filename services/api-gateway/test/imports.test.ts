// Imports over HTTP: what they have in common, and those of applications, campaigns and the inbox. Devices: devices.test.ts.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { generateHuaweiAccount, generateUpdates, makeApiKey, operationsOf, type Response } from '@push-server/testing'
import { APP, openGateway } from './_gateway.ts'
import { watch } from './_watched-api.ts'

const gateway = await openGateway()
const { api, database, stack } = gateway
t.teardown(() => stack.close())
const OTHER = await gateway.makeApplication()

const TYPE = { 'content-type': 'application/x-ndjson' }
const fileOf = (lines: readonly unknown[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('')
const put = (path: string, lines: readonly unknown[], client = api): Promise<Response> =>
  client.call('PUT', path, { body: fileOf(lines), headers: TYPE })
const result = async (path: string, lines: readonly unknown[]) => (await put(path, lines)).body.responseObject

const T = (seconds: number) => new Date(Date.UTC(2024, 1, 8, 12, 0, seconds)).toISOString()
const APNS = generateUpdates.ios() as { bundle: string; keyId: string; teamId: string; privateKeyBase64: string }
const FCM = generateUpdates.android() as { projectId: string; privateKeyBase64: string }
const apns = {
  apnsBundle: APNS.bundle,
  apnsKeyId: APNS.keyId,
  apnsTeamId: APNS.teamId,
  apnsEnvironment: 'DEVELOPMENT',
  // As MIME writes it.
  apnsPrivateKeyBase64: APNS.privateKeyBase64.replaceAll(/.{76}/g, '$&\r\n'),
}
const fcm = { fcmProjectId: FCM.projectId, fcmPrivateKeyBase64: FCM.privateKeyBase64 }
const hms = { hmsProjectId: 'HMS123', hmsClientId: '100000001', hmsClientSecret: 'secret' }

const device = (more: object = {}) => {
  const activationId = randomUUID()
  return {
    appId: APP,
    userId: 'u',
    activationId,
    platform: 'ios',
    token: 'aabb',
    timestampLastRegistered: T(0),
    ...more,
  }
}
let lastId = 5_000
const campaign = (more: object = {}) => ({
  id: String((lastId += 1)),
  appId: APP,
  message: { title: 'T', body: 'B' },
  timestampCreated: T(0),
  ...more,
})
const letter = (more: object = {}) => ({
  id: randomUUID(),
  userId: 'reader',
  type: 'text',
  subject: 's',
  summary: 's',
  body: 'b',
  read: false,
  timestampCreated: T(0),
  applications: [APP],
  ...more,
})

const known = campaign()
await put('/push/campaign/import', [known])

/** Of each import: good lines about what is new. The member that a bad line lacks is the first. */
const GOOD: Readonly<Record<string, () => object[]>> = {
  '/admin/app/import': () => [
    { appId: randomUUID(), ...apns, ...fcm, ...hms, unknown: 'ignored' },
    { appId: randomUUID(), apnsBundle: null },
  ],
  '/push/device/import': () => [device(), device({ appId: OTHER })],
  '/push/campaign/import': () => [campaign(), campaign({ appId: OTHER, message: '{\n  "title" : "T"\n}' })],
  '/push/campaign/user/import': () => [
    { campaignId: known.id, userId: randomUUID() },
    { campaignId: Number(known.id), userId: randomUUID() },
  ],
  '/push/campaign/{id}/user/import': () => [{ userId: randomUUID() }, { userId: randomUUID() }],
  '/inbox/messages/import': () => [letter(), letter({ applications: [OTHER, APP, APP], read: true })],
}

const operations = operationsOf((await api.get('/v3/api-docs')).body)
const imports = operations.filter(({ path }) => path.endsWith('/import'))
const pathOf = (path: string) => path.replace('{id}', known.id)

/** Everything that imports write. */
const rows = () =>
  database.query(
    `SELECT 'a' || app_id AS row FROM applications UNION ALL SELECT platform || version FROM credentials
     UNION ALL SELECT 'd' || activation_id || token FROM devices UNION ALL SELECT 'c' || id FROM campaigns
     UNION ALL SELECT 'u' || user_id FROM campaign_users UNION ALL SELECT 'i' || public_id || coalesce(read_at::text, '')
     FROM inbox_messages UNION ALL SELECT 'v' || activation_id FROM activations ORDER BY 1`,
  )

t.test('each operation that ends in import is held by the table', async (t) => {
  t.same(new Set(imports.map(({ path }) => path)), new Set(Object.keys(GOOD)))
  t.same(
    imports.filter(({ parameters }) => !parameters.query.properties?.dryRun).map(({ path }) => path),
    [],
    'all of them have a dry run',
  )
})

for (const { method, path } of imports)
  t.test(
    `${method} ${path}: a dry run changes nothing, the run does what it said, and again all is kept`,
    async (t) => {
      const body = fileOf(GOOD[path]?.() ?? [])
      const send = (query: string) => api.call(method, `${pathOf(path)}?${query}`, { body, headers: TYPE })
      const before = await rows()
      const said = await send('dryRun=true')
      t.same(said.body, { status: 'OK', responseObject: { imported: 2, updated: 0, kept: 0, failed: 0, errors: [] } })
      t.same(await rows(), before)
      t.same((await send('')).body, said.body)
      const after = await rows()
      t.ok(after.length > before.length)
      const kept = { imported: 0, updated: 0, kept: 2, failed: 0, errors: [] }
      t.same((await send('')).body.responseObject, kept)
      t.same((await send('dryRun=true')).body.responseObject, kept)
      t.same(await rows(), after)
    },
  )

for (const { method, path } of imports)
  t.test(`${method} ${path}: a bad line keeps the file out, unless the good ones may stay`, async (t) => {
    const [first, second] = GOOD[path]?.() ?? []
    const lines = [first, {}, second]
    const send = (query: string, some: unknown[]) =>
      api.call(method, `${pathOf(path)}?${query}`, { body: fileOf(some), headers: TYPE })
    const before = await rows()
    const expected = { status: 400, body: { responseObject: { violations: [{ fieldName: /^line 2: / }] } } }
    t.match(await send('', lines), expected)
    t.match(await send('partial=true', [{}, {}]), { status: 400 }, 'nothing is kept of it')
    t.same(await rows(), before)
    t.match((await send('partial=true', lines)).body.responseObject, { imported: 2, failed: 1, errors: [{ line: 2 }] })
  })

t.test('a key that is bound to an application imports its devices alone', async (t) => {
  const { stack: closed } = await openGateway({ AUTH: 'keys' })
  t.teardown(() => closed.close())
  await closed.configure(OTHER)
  const key = await makeApiKey(closed.context, { scopes: ['admin', 'campaign'], appIds: [APP] })
  const bound = watch(closed.api.url, { authorization: `Bearer ${key}` })
  const statusOf = async (path: string, lines: readonly unknown[]) => (await put(path, lines, bound)).status
  for (const { path } of imports) {
    if (path === '/push/campaign/{id}/user/import') continue
    t.equal(await statusOf(pathOf(path), GOOD[path]?.() ?? []), 403, path)
  }
  t.equal(await statusOf(`/push/device/import?appId=${OTHER}`, [device({ appId: OTHER })]), 403)
  const mine = device({ appId: undefined })
  t.match((await put(`/push/device/import?appId=${APP}&partial=true`, [mine, device({ appId: OTHER })], bound)).body, {
    responseObject: { imported: 1, failed: 1, errors: [{ line: 2, fieldName: 'appId' }] },
  })
})

t.test('applications: credentials are parsed, and changed where they differ', async (t) => {
  const appId = randomUUID()
  t.match(await result('/admin/app/import', [{ appId, ...apns, ...hms }]), { imported: 1 })
  const changed = { ...apns, apnsBundle: 'another.bundle' }
  t.match(await result('/admin/app/import?dryRun=true', [{ appId, ...changed }]), { updated: 1 })
  t.match(await result('/admin/app/import', [{ appId, ...changed }]), { updated: 1 })
  t.match(await result('/admin/app/import', [{ appId, ...hms, hmsClientSecret: 'rotated' }]), { updated: 1 })
  const detail = await api.post('/admin/app/detail', { appId, includeIos: true })
  t.match(detail.body.responseObject, {
    application: { ios: true, android: false, huawei: true },
    iosBundle: 'another.bundle',
    iosEnvironment: 'development',
  })
  const bad: [line: object, fieldName: string, hint: RegExp][] = [
    [{}, 'appId', /blank/],
    [{ appId, ...apns, apnsPrivateKeyBase64: '*' }, 'apnsPrivateKeyBase64', /base64/],
    [{ appId, ...apns, apnsPrivateKeyBase64: 'AAAA' }, 'apnsPrivateKeyBase64', /./],
    [{ appId, ...apns, apnsKeyId: null }, 'apnsKeyId', /blank/],
    [{ appId, ...apns, apnsEnvironment: 'staging' }, 'apnsEnvironment', /one of/],
    [{ appId, ...fcm, fcmProjectId: 'another' }, 'fcmProjectId', /./],
    [{ appId, ...hms, hmsClientId: ' ' }, 'hmsClientId', /./],
  ]
  const lines = bad.map(([line]) => line)
  const violations = bad.map(([, fieldName, hint], index) => ({ fieldName: `line ${index + 1}: ${fieldName}`, hint }))
  t.match(await result('/admin/app/import?partial=true', lines), { violations })
})

t.test('applications: the client of a line stands beside the service account that is there', async (t) => {
  const appId = randomUUID()
  t.match(await result('/admin/app/import', [{ appId, ...hms }]), { imported: 1 })
  const account = { projectId: 'test-project', privateKeyBase64: btoa(generateHuaweiAccount()), category: 'WORK' }
  t.equal((await api.post('/admin/app/huawei/account/update', { appId, ...account })).status, 200)
  const detail = async () => (await api.post('/admin/app/detail', { appId, includeHms: true })).body.responseObject
  t.match(await result('/admin/app/import', [{ appId, ...hms }]), { kept: 1 }, 'the same client')
  const rotated = { ...hms, hmsProjectId: 'another', hmsClientSecret: 'rotated' }
  t.match(await result('/admin/app/import?dryRun=true', [{ appId, ...rotated }]), { updated: 1 })
  t.match(await detail(), { hmsProjectId: 'HMS123', hmsApis: '2, 3' }, 'a dry run changes nothing')
  t.match(await result('/admin/app/import', [{ appId, ...rotated }]), { updated: 1 })
  t.match(await detail(), { hmsProjectId: 'another', hmsApis: '2, 3', hmsAccountKeyId: 'test', hmsCategory: 'WORK' })
  t.match(await result('/admin/app/import', [{ appId, ...rotated }]), { kept: 1 })
})

t.test('campaigns: ids stay, and new ones come beyond them; their users follow', async (t) => {
  const id = String(lastId + 1_000)
  lastId += 2_000
  t.match(await result('/push/campaign/import?dryRun=true', [campaign({ id })]), { imported: 1 })
  const message = { title: 'T', extras: { a: 1 }, validUntil: 4_000_000_000, unknown: 'x' }
  t.match(await result('/push/campaign/import', [campaign({ id, message: JSON.stringify(message, null, 2) })]), {
    imported: 1,
  })
  t.match((await api.get(`/push/campaign/${id}/detail`)).body.responseObject, {
    id,
    sent: false,
    state: 'created',
    message: { title: 'T', extras: { a: 1 }, validUntil: '2096-10-02T07:06:40Z' },
    timestampCreated: '2024-02-08T12:00:00.000+00:00',
  })
  const created = await api.post('/push/campaign/create', { appId: APP, message: { title: 'T' } })
  t.ok(Number(created.body.responseObject.id) > Number(id))
  const bad: [line: object, fieldName: string, hint: RegExp][] = [
    [campaign({ id, timestampCreated: T(1) }), 'id', /another campaign/],
    [campaign({ id, appId: OTHER }), 'id', /another campaign/],
    [campaign({ id: created.body.responseObject.id }), 'id', /another campaign/],
    [campaign({ id: 0 }), 'id', /from 1/],
    [campaign({ id: 2 ** 31 }), 'id', /from 1/],
    [campaign({ sent: true }), 'sent', /not imported/],
    [campaign({ appId: 'nowhere' }), 'appId', /known/],
    [campaign({ message: 'no JSON' }), 'message', /object/],
    [campaign({ message: { validUntil: 'soon' } }), 'message.validUntil', /ISO/],
    [campaign({ message: { body: 'x'.repeat(5_000) } }), 'message', /4096/],
    [campaign({ timestampCreated: 'then' }), 'timestampCreated', /ISO/],
  ]
  const lines = [...bad.map(([line]) => line), campaign()]
  const { errors, ...counts } = await result('/push/campaign/import?partial=true', lines)
  t.same(counts, { imported: 1, updated: 0, kept: 0, failed: bad.length })
  // Those that contradict what is stored are found last.
  for (const [index, [, fieldName, hint]] of bad.entries())
    t.match(
      errors.find(({ line }: { line: number }) => line === index + 1),
      { fieldName: new RegExp(`^${fieldName}`), hint },
      `line ${index + 1}`,
    )
  const users = ['a', 'b', 'a'].map((userId) => ({ campaignId: id, userId }))
  const nobody = { campaignId: 'x', userId: 'a' }
  t.match(
    await result('/push/campaign/user/import?partial=true', [...users, { ...nobody, campaignId: 999_999 }, nobody]),
    {
      imported: 2,
      failed: 2,
    },
  )
  t.same((await api.get(`/push/campaign/${id}/user/list`)).body.responseObject.users, ['a', 'b'])
})

t.test('inbox: read wins over unread, with the earlier time', async (t) => {
  const one = letter()
  const path = '/inbox/messages/import'
  const detail = async () => (await api.get(`/inbox/messages/detail?messageId=${one.id}`)).body.responseObject
  const read = (seconds: number) => ({ ...one, subject: 'changed', read: true, timestampRead: T(seconds) })
  t.match(await result(path, [one]), { imported: 1 })
  t.match(await detail(), { ...one, read: false, timestampCreated: '2024-02-08T12:00:00.000+00:00' })
  t.match(await result(path, [read(20)]), { updated: 1 })
  t.match(await result(path, [read(30), one]), { kept: 1 }, 'of two lines the last counts')
  t.match(await detail(), { subject: 's', read: true, timestampRead: '2024-02-08T12:00:20.000+00:00' })
  t.match(await result(path, [read(10)]), { updated: 1 })
  t.match(await result(path, [one, read(15)]), { kept: 1 })
  t.match(await detail(), { timestampRead: '2024-02-08T12:00:10.000+00:00', applications: [APP] })
  const many = Array.from({ length: 50 }, (_, index) => letter({ userId: 'of-one-second', subject: String(index) }))
  t.match(await result(path, many), { imported: 50 })
  const list = await api.get(`/inbox/messages/list?userId=of-one-second&applications=${APP}`)
  t.same(
    list.body.responseObject.map(({ subject }: { subject: string }) => Number(subject)),
    Array.from({ length: 50 }, (_, index) => 49 - index),
    'messages of one time stay in their order, newest first',
  )
  const long = letter({ body: 'ü"'.repeat(32_768) })
  t.match(await result(path, [long]), { imported: 1 })
  const bad: [line: object, fieldName: string, hint: RegExp][] = [
    [letter({ applications: [] }), 'applications', /empty/],
    [letter({ applications: ['nowhere'] }), 'applications', /not known/],
    [letter({ id: 'no-uuid' }), 'id', /pattern/],
    [letter({ type: 'video' }), 'type', /one of/],
    [letter({ timestampRead: 'then' }), 'timestampRead', /ISO/],
    [{ ...one, userId: 'another' }, 'id', /another user/],
  ]
  const refused = await result(
    `${path}?partial=true`,
    bad.map(([line]) => line),
  )
  t.same(refused.violations.length, bad.length)
  for (const [index, [, fieldName, hint]] of bad.entries())
    t.match(refused.violations[index], { fieldName: `line ${index + 1}: ${fieldName}`, hint })
})

t.test(
  'campaigns: one that was deleted here does not come back, also when all that was removable of it is gone',
  async (t) => {
    const one = campaign({ id: String((lastId += 1_000)) })
    const users = [{ campaignId: one.id, userId: 'a' }]
    t.match(await result('/push/campaign/import', [one]), { imported: 1 })
    const own = await api.post('/push/campaign/create', { appId: APP, message: { title: 'T' } })
    const ownId: string = own.body.responseObject.id
    t.match(await result('/push/campaign/user/import', users), { imported: 1 })
    for (const id of [one.id, ownId]) t.equal((await api.call('DELETE', `/push/campaign/${id}/delete`)).status, 200)
    const { retention } = stack.context.store
    while (await retention.removeCampaignUsers(10));
    while (await retention.removeCampaigns(10));
    t.same(await result('/push/campaign/import', [one]), { imported: 0, updated: 0, kept: 1, failed: 0, errors: [] })
    t.equal((await api.get(`/push/campaign/${one.id}/detail`)).status, 400)
    t.match(await result('/push/campaign/user/import', users), { violations: [{ fieldName: /^line 1: campaignId/ }] })
    const left = await database.query('SELECT id::int FROM campaigns WHERE id = ANY($1)', [[one.id, ownId]])
    t.same(left, [{ id: Number(one.id) }], 'of one that no import has brought nothing is left')
  },
)

const INBOX = '/inbox/messages/import'
const onlyKept = (kept: number) => ({ imported: 0, updated: 0, kept, failed: 0, errors: [] })

t.test('inbox: what was deleted here does not come back', async (t) => {
  const userId = randomUUID()
  const [one, ofOther, shared, left] = [
    letter({ userId }),
    letter({ userId, applications: [OTHER] }),
    letter({ userId, applications: [APP, OTHER] }),
    letter({ userId, applications: [OTHER], read: true }),
  ]
  const file = [one, ofOther, shared, left]
  const listed = async (applications: string) => {
    const { body } = await api.get(`/inbox/messages/list?userId=${userId}&applications=${applications}`)
    return new Set(body.responseObject.map(({ id }: { id: string }) => id))
  }
  t.match(await result(INBOX, file), { imported: 4 })
  t.equal((await api.call('DELETE', `/inbox/messages/${one.id}`)).status, 200)
  t.equal((await api.call('DELETE', `/inbox/messages/${ofOther.id}?userId=${userId}`)).status, 200)
  t.same(await listed(`${APP},${OTHER}`), new Set([shared.id, left.id]))
  for (const query of ['?dryRun=true', '', ''])
    t.same(await result(INBOX + query, [...file, { ...one, read: true }]), onlyKept(4), query)
  t.equal((await api.call('DELETE', `/inbox/messages?userId=${userId}&appId=${APP}`)).status, 200)
  t.same(await result(INBOX, file), onlyKept(4))
  t.same([await listed(APP), await listed(OTHER)], [new Set(), new Set([shared.id, left.id])])
  t.equal((await api.call('DELETE', `/inbox/messages?userId=${userId}&appId=${OTHER}`)).status, 200)
  t.same(await result(INBOX, file), onlyKept(4))
  t.same(await listed(`${APP},${OTHER}`), new Set())
  const kept = await database.query('SELECT 1 FROM deleted_inbox_messages')
  t.equal(kept.length, 4, 'nothing but their ids')
})

t.test('inbox: of a message that no import has brought, a deletion keeps nothing', async (t) => {
  const before = await database.query('SELECT public_id FROM deleted_inbox_messages')
  const body = { userId: 'own', type: 'text', subject: 's', summary: 's', body: 'b', applications: [APP] }
  const { id } = (await api.post('/inbox/messages', body)).body.responseObject
  await api.post('/inbox/messages', body)
  t.equal((await api.call('DELETE', `/inbox/messages/${id}`)).status, 200)
  t.equal((await api.call('DELETE', `/inbox/messages?userId=own&appId=${APP}`)).status, 200)
  t.same(await database.query('SELECT public_id FROM deleted_inbox_messages'), before)
})

t.test('inbox: with its application a message goes, and comes back with it', async (t) => {
  const appId = randomUUID()
  const one = letter({ applications: [appId] })
  const application = async () => (await put('/admin/app/import', [{ appId }])).status
  await application()
  t.match(await result(INBOX, [one]), { imported: 1 })
  t.equal((await api.post('/admin/app/remove', { appId })).status, 200)
  while (await stack.context.store.applicationRemovals.clear(100));
  t.match(await result(INBOX, [one]), { violations: [{ hint: /not known/ }] })
  await application()
  t.match(await result(INBOX, [one]), { imported: 1 })
})

t.test('inbox: what has ended is not brought, and validUntil of a line counts', async (t) => {
  const [lasting, ending, ended] = [
    letter({ validUntil: null }),
    letter({ validUntil: '2099-01-01T00:00:00Z' }),
    letter({ validUntil: T(1) }),
  ]
  t.same(await result(INBOX, [lasting, ending, ended]), { ...onlyKept(1), imported: 2 })
  const end = async ({ id }: { id: string }) =>
    (await api.get(`/inbox/messages/detail?messageId=${id}`)).body.responseObject.validUntil
  t.same([await end(lasting), await end(ending)], [undefined, '2099-01-01T00:00:00.000+00:00'])
  const expiredHere = "UPDATE inbox_messages SET valid_until = now() - interval '1 ms' WHERE public_id = $1"
  await database.query(expiredHere, [ending.id])
  await stack.context.store.retention.removeExpiredInbox(10)
  const later = { ...ending, validUntil: T(2) }
  t.same(await result(INBOX, [later]), onlyKept(1))
  t.match(await result(INBOX, [letter({ validUntil: 'soon' })]), { violations: [{ fieldName: 'line 1: validUntil' }] })
})

t.test(
  'inbox: what is past INBOX_MAX_AGE is not brought, so that a run after its removal brings nothing',
  async (t) => {
    const { stack: aged, api: client } = await openGateway({ INBOX_MAX_AGE: '30d' })
    t.teardown(() => aged.close())
    const [old, young] = [letter(), letter({ timestampCreated: new Date().toISOString() })]
    const send = async (query = '') => (await put(INBOX + query, [old, young], watch(client.url))).body.responseObject
    for (const query of ['?dryRun=true', '']) t.same(await send(query), { ...onlyKept(1), imported: 1 })
    t.same(await aged.database.query('SELECT public_id AS id FROM inbox_messages'), [{ id: young.id }])
    t.same(await send(), onlyKept(2))
  },
)

t.test('nothing internal was disclosed', async (t) => t.same(api.leaks, []))

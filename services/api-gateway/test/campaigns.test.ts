// Campaigns over HTTP, without a worker or a scheduler: what clients have to send, and what they get.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { APP, json, newToken, openGateway } from './_gateway.ts'
import { isOk, refusedWith, violates } from './_watched-api.ts'

const gateway = await openGateway()
t.teardown(() => gateway.stack.close())
const { api, database, changesNothing, makeApplication } = gateway
const { call, get, post } = api

const BODY = {
  title: 'Balance update',
  titleLocKey: 'balance.update.title',
  titleLocArgs: [],
  body: 'Your balance is now $745.00',
  badge: 3,
  collapseKey: 'balance-update',
  validUntil: '2016-10-12T11:20:04Z',
  extras: { _comment: 'Any custom data.', nested: { deep: [1, null] } },
}
const UNKNOWN = 'Campaign with entered ID does not exist'
const NOWHERE = ['999999999', '123456789012345678901234567890']

async function create(appId = APP): Promise<string> {
  const { body } = await post('/push/campaign/create', { appId, message: BODY })
  return body.responseObject.id
}
const usersOf = async (id: string, query = '') => (await get(`/push/campaign/${id}/user/list${query}`)).body

t.test('C-61 create: refusals in their order; the id is digits', async (t) => {
  const path = '/push/campaign/create'
  await changesNothing(t, async () => {
    for (const [object, text] of [
      [null, 'Request object must not be empty'],
      [{}, 'App ID must not be null.'],
      [{ appId: null, message: BODY }, 'App ID must not be null.'],
      [{ appId: 'nowhere' }, 'You must specify a push campaign message payload.'],
      [{ appId: 'nowhere', message: null }, 'You must specify a push campaign message payload.'],
      [{ appId: 'nowhere', message: BODY }, 'Application with a provided PowerAuth app ID does not exist: nowhere'],
    ] as const)
      refusedWith(t, await post(path, object), text)
    violates(t, await post(path, { appId: APP, message: { ...BODY, collapseKey: 'k'.repeat(65) } }), [
      'requestObject.message.collapseKey',
      /collapse key for ios has 65 bytes, the limit is 64/,
    ])
    violates(t, await post(path, { appId: APP, message: { title: 'x'.repeat(5000) } }), [
      'requestObject.message',
      /payload for ios has \d+ bytes, the limit is 4096/,
    ])
    violates(t, await post(path, { appId: APP, message: { ...BODY, validUntil: 'soon' } }), [
      'requestObject.message.validUntil',
      /ISO 8601/,
    ])
  })
  t.match(await create(), /^\d+$/)
})

t.test('C-62 detail returns the message as it was given', async (t) => {
  const id = await create()
  const { body } = await get(`/push/campaign/${id}/detail`)
  t.match(body, { status: 'OK', responseObject: { id, appId: APP, sent: false, state: 'created', paused: false } })
  t.same(body.responseObject.message, BODY)
  for (const nowhere of NOWHERE) refusedWith(t, await get(`/push/campaign/${nowhere}/detail`), UNKNOWN)
  violates(t, await get('/push/campaign/ten/detail'), ['id', /must match pattern/])
})

t.test('C-63 list: everything, or by whether it was sent', async (t) => {
  const appId = await makeApplication()
  const [sent, unsent] = [await create(appId), await create(appId)]
  await database.query("INSERT INTO runs (campaign_id, state, settled_at) VALUES ($1, 'sent', now())", [sent])
  const idsOf = async (query: string) => {
    const { body } = await get(`/push/campaign/list${query}`)
    const list: { id: string; appId: string; sent: boolean }[] = body.responseObject
    return list.filter((campaign) => campaign.appId === appId).map(({ id, sent }) => `${id} ${sent}`)
  }
  const both = [`${sent} true`, `${unsent} false`]
  for (const query of ['', '?all=true', '?all=yes', '?all=1', '?all=']) t.same(await idsOf(query), both, query)
  for (const query of ['?all=false', '?all=off', '?sent=true', '?all=true&sent=on'])
    t.same(await idsOf(query), [`${sent} true`], query)
  t.same(await idsOf('?sent=false'), [`${unsent} false`])
  violates(t, await get('/push/campaign/list?all=perhaps'), ['all', /must be/])
  const whole = await get('/push/campaign/list')
  t.notOk('page' in whole.body, 'without pages for clients that know none')
  const paged = await get('/push/campaign/list?size=1&page=1')
  t.match(paged.body, { page: 1, size: 1 })
  t.same(paged.body.responseObject, whole.body.responseObject.slice(1, 2))
})

t.test('C-64 users: added once each, all or none; removed; listed in pages', async (t) => {
  const id = await create()
  const add = `/push/campaign/${id}/user/add`
  isOk(t, await call('PUT', add, json({ requestObject: ['user-2', 'user-1', 'user-1', 3] })), 'PUT')
  isOk(t, await post(add, ['user-1', 'user-4']), 'POST')
  isOk(t, await post(add, []), 'nobody')
  t.same(await usersOf(id), {
    status: 'OK',
    page: 0,
    size: 20,
    responseObject: { campaignId: id, users: ['3', 'user-1', 'user-2', 'user-4'] },
  })
  for (const requestObject of [null, undefined])
    for (const path of [add, `/push/campaign/${id}/user/delete`])
      refusedWith(t, await call('POST', path, json({ requestObject })), 'Empty requestObject data')
  for (const nowhere of NOWHERE) refusedWith(t, await post(`/push/campaign/${nowhere}/user/add`, ['u']), UNKNOWN)
  violates(t, await post(add, ['new', null]), ['requestObject[1]', /must be string/])
  violates(t, await post(add, ['new', 'x'.repeat(256)]), ['requestObject[1]', /size must be at most 255/])
  violates(t, await post(add, 'new'), ['requestObject', /must be array/])
  t.equal((await usersOf(id)).responseObject.users.length, 4, 'nothing of a refused request is added')

  isOk(t, await call('DELETE', `/push/campaign/${id}/user/delete`, json({ requestObject: ['3', 'nobody'] })), 'DELETE')
  isOk(t, await post(`/push/campaign/${id}/user/delete`, ['user-2']), 'POST')
  isOk(t, await post(`/push/campaign/${NOWHERE[0]}/user/delete`, ['user-2']), 'of no campaign')
  t.same((await usersOf(id)).responseObject.users, ['user-1', 'user-4'])
})

t.test('C-65 user list: bounds of pages', async (t) => {
  const id = await create()
  await post(
    `/push/campaign/${id}/user/add`,
    Array.from({ length: 2100 }, (_, index) => `u${String(index).padStart(4, '0')}`),
  )
  for (const [query, page, size, first, count] of [
    ['', 0, 20, 'u0000', 20],
    ['?page=-1&size=0', 0, 20, 'u0000', 20],
    ['?page=x&size=y', 0, 20, 'u0000', 20],
    ['?page=2&size=4', 2, 4, 'u0008', 4],
    ['?size=2000', 0, 2000, 'u0000', 2000],
    ['?size=2001', 0, 2000, 'u0000', 2000],
    ['?page=1&size=2000', 1, 2000, 'u2000', 100],
    ['?page=199', 199, 20, undefined, 0],
    ['?after=u0099&size=3', 0, 3, 'u0100', 3],
  ] as const) {
    const response = await usersOf(id, query)
    const { users } = response.responseObject
    t.same([response.page, response.size, users[0], users.length], [page, size, first, count], query || 'default')
  }
  t.same((await usersOf('999999999')).responseObject, { campaignId: '999999999', users: [] })
})

t.test('100 000 users in one request, twice', async (t) => {
  const id = await create()
  const users = Array.from({ length: 100_000 }, (_, index) => `user-${index}`)
  for (const round of ['first', 'second']) isOk(t, await post(`/push/campaign/${id}/user/add`, users), round)
  const [row] = await database.query('SELECT count(*)::int AS n FROM campaign_users WHERE campaign_id = $1', [id])
  t.same(row, { n: 100_000 })
  isOk(t, await post(`/push/campaign/${id}/user/delete`, users), 'removed')
  t.same((await usersOf(id)).responseObject.users, [])
})

t.test('import of users: a text or an object on each line; bad lines by number', async (t) => {
  const id = await create()
  const lines = (body: string) => ({ body, headers: { 'content-type': 'application/x-ndjson' } })
  const path = `/push/campaign/${id}/user/import`
  const result = async (method: string, query: string, body: string) =>
    (await call(method, path + query, lines(body))).body.responseObject
  t.same(await result('PUT', '', '"b"\n{"userId":"a"}\n\n"a"\n'), {
    imported: 2,
    updated: 0,
    kept: 0,
    failed: 0,
    errors: [],
  })
  const bad = '"c"\n{"userId":""}\nnonsense\n'
  const refused = await result('POST', '', bad)
  t.match(refused, {
    code: 'ERROR_REQUEST',
    message: 'Nothing of the file was kept: 2 of its lines have errors',
    violations: [{ fieldName: /^line 2: / }, { fieldName: /^line 3: / }],
  })
  for (const query of ['', '?partial=true']) t.equal((await call('PUT', path + query, lines('nonsense'))).status, 400)
  t.same((await usersOf(id)).responseObject.users, ['a', 'b'], 'nothing of a bad file is kept')
  t.match(await result('PUT', '?partial=true', bad), { imported: 1, failed: 2 })
  t.match(await result('PUT', '', '"a"\n"d"'), { imported: 1, kept: 1 })
  t.same((await usersOf(id)).responseObject.users, ['a', 'b', 'c', 'd'])
  const nowhere = await call('PUT', `/push/campaign/${NOWHERE[0]}/user/import`, lines('"a"'))
  refusedWith(t, nowhere, UNKNOWN)
})

t.test('C-67 test send: its refusals come after the campaign’s; flags are left', async (t) => {
  const path = '/push/campaign/send/test'
  const id = await create()
  for (const [object, text] of [
    [null, 'Request must not be null.'],
    [{}, 'Request must contain a user ID.'],
    [{ userId: null }, 'Request must contain a user ID.'],
    [{ userId: '' }, 'No userId was specified'],
  ] as const) {
    refusedWith(t, await post(`${path}/${id}`, object), text)
    refusedWith(t, await post(`${path}/${NOWHERE[0]}`, object), UNKNOWN)
  }
  const ZERO = { sent: 0, pending: 0, failed: 0, total: 0 }
  const reached = await post(`${path}/${id}`, { userId: 'nobody' })
  t.same(reached.body, { status: 'OK', responseObject: { result: { ios: ZERO, android: ZERO, huawei: ZERO } } })
  await post('/push/device/create', {
    appId: APP,
    platform: 'ios',
    token: newToken(),
    activationId: randomUUID(),
    userId: 'tester',
  })
  const pending = await post(`${path}/${id}`, { userId: 'tester' })
  t.same(pending.body.responseObject.result.ios, { sent: 0, pending: 1, failed: 0, total: 1 })
  t.match((await get(`/push/campaign/${id}/detail`)).body.responseObject, { sent: false, state: 'created' })
})

t.test('C-68 live send: started once, not while it runs', async (t) => {
  const id = await create()
  for (const nowhere of NOWHERE) refusedWith(t, await call('POST', `/push/campaign/send/live/${nowhere}`), UNKNOWN)
  violates(t, await call('POST', `/push/campaign/send/live/${id}?rate=0`), ['rate', /must be/])
  violates(t, await call('POST', `/push/campaign/send/live/${id}?resend=perhaps`), [
    'resend',
    /must be one of all, unreached, unreached-devices/,
  ])
  violates(t, await get(`/push/campaign/${id}/audience?resend=true`), ['resend', /must be one of/])
  for (const nowhere of NOWHERE) refusedWith(t, await get(`/push/campaign/${nowhere}/audience`), UNKNOWN)
  isOk(t, await call('POST', `/push/campaign/send/live/${id}`), 'without a body')
  refusedWith(t, await call('POST', `/push/campaign/send/live/${id}`), 'Campaign was already sent')
  refusedWith(t, await call('POST', `/push/campaign/send/live/${id}?resend=true`), 'Campaign is fanning-out')
  t.match((await get(`/push/campaign/${id}/detail`)).body.responseObject, { state: 'fanning-out', sent: false })
  const progress = await get(`/push/campaign/${id}/progress`)
  t.match(progress.body.responseObject, { state: 'fanning-out', paused: false, sent: 0, pushesPerSecond: 0 })
  t.notOk('total' in progress.body.responseObject, 'not known before the fan-out is complete')
})

t.test('control in every state', async (t) => {
  const id = await create()
  for (const name of ['pause', 'resume', 'cancel', 'unschedule']) {
    refusedWith(t, await post(`/push/campaign/${id}/${name}`, {}), 'Campaign is created', name)
    refusedWith(t, await post(`/push/campaign/${NOWHERE[0]}/${name}`, {}), UNKNOWN, name)
  }
  refusedWith(t, await post(`/push/campaign/${NOWHERE[0]}/schedule`, null), UNKNOWN)
  violates(t, await post(`/push/campaign/${id}/schedule`, {}), ['requestObject.sendAt', /must not be null/])
  isOk(t, await call('POST', `/push/campaign/send/live/${id}`), 'live')
  for (const name of ['pause', 'pause', 'resume', 'resume'])
    isOk(t, await post(`/push/campaign/${id}/${name}`, {}), name)
  refusedWith(t, await post(`/push/campaign/${id}/unschedule`, {}), 'Campaign is fanning-out')
  isOk(t, await post(`/push/campaign/${id}/cancel`, {}), 'cancel')
  refusedWith(t, await post(`/push/campaign/${id}/cancel`, {}), 'Campaign is cancelled')
  const { body } = await get(`/push/campaign/${id}/failures`)
  t.same(body, { status: 'OK', page: 0, size: 100, responseObject: [] })
  const last = await get(`/push/campaign/${id}/failures?page=2147483647&size=2000`)
  t.same(last.body, { status: 'OK', page: 2147483647, size: 2000, responseObject: [] }, 'far beyond the last page')
  refusedWith(t, await get(`/push/campaign/${NOWHERE[0]}/failures`), UNKNOWN)
  refusedWith(t, await get(`/push/campaign/${NOWHERE[0]}/progress`), UNKNOWN)
})

t.test('delete: says whether there was one, refused while it is sent unless forced', async (t) => {
  const deleted = async (method: string, path: string) =>
    (await call(method, `/push/campaign/${path}`)).body.responseObject.deleted
  const id = await create()
  t.equal(await deleted('DELETE', `${id}/delete`), true)
  t.equal(await deleted('POST', `${id}/delete`), false, 'again')
  for (const nowhere of NOWHERE) t.equal(await deleted('DELETE', `${nowhere}/delete`), false)
  for (const path of [`${id}/detail`, `${id}/progress`]) refusedWith(t, await get(`/push/campaign/${path}`), UNKNOWN)
  refusedWith(t, await post(`/push/campaign/${id}/user/add`, ['u']), UNKNOWN)
  refusedWith(t, await call('POST', `/push/campaign/send/live/${id}`), UNKNOWN)

  const running = await create()
  await call('POST', `/push/campaign/send/live/${running}`)
  refusedWith(t, await call('DELETE', `/push/campaign/${running}/delete`), 'Campaign is fanning-out')
  t.equal(await deleted('DELETE', `${running}/delete?force=true`), true)
  const [run] = await database.query('SELECT state FROM runs WHERE campaign_id = $1', [running])
  t.same(run, { state: 'cancelled' })
})

t.test('nothing internal is disclosed', async (t) => t.same(api.leaks, []))

t.test('the message is read back as it was understood: without nulls, its time in UTC', async (t) => {
  const cases: readonly (readonly [given: object, read: object])[] = [
    [{ title: 'T', body: null, badge: null, titleLocArgs: null, extras: null }, { title: 'T' }],
    [
      { title: 'T', validUntil: 4_102_444_800 },
      { title: 'T', validUntil: '2100-01-01T00:00:00Z' },
    ],
    [
      { title: 'T', validUntil: '2100-01-01T02:00:00+02:00' },
      { title: 'T', validUntil: '2100-01-01T00:00:00Z' },
    ],
    [
      { title: 'T', badge: 0, body: '', bodyLocArgs: [], extras: { a: null } },
      { title: 'T', badge: 0, body: '', bodyLocArgs: [], extras: { a: null } },
    ],
  ]
  for (const [message, read] of cases) {
    const created = await post('/push/campaign/create', { appId: APP, message })
    const id = String(created.body.responseObject.id)
    t.same((await get(`/push/campaign/${id}/detail`)).body.responseObject.message, read)
    const { responseObject: all } = (await get('/push/campaign/list?size=1000')).body
    const listed = all.find((campaign: { id: unknown }) => String(campaign.id) === id)
    t.same(listed?.message, read)
    const [row] = await database.query<{ message: object }>('SELECT message FROM campaigns WHERE id = $1', [id])
    t.same(row?.message, read, 'and so it is stored')
  }
})

t.test('users: in either order, and none of a deleted campaign from the first moment', async (t) => {
  const id = await create()
  await post(`/push/campaign/${id}/user/add`, ['b', 'a', 'c'])
  const listed = async (query: string) => (await usersOf(id, query)).responseObject.users
  for (const sort of ['', '?sort=userId', '?sort=userId,asc', '?sort=userId,ASC'])
    t.same(await listed(sort), ['a', 'b', 'c'], sort)
  t.same(await listed('?sort=userId,desc'), ['c', 'b', 'a'])
  t.same(await listed('?sort=userId,desc&after=c&size=1'), ['b'])
  t.same(await listed('?sort=userId,desc&page=1&size=2'), ['a'])
  for (const sort of ['name', 'userId,up', 'userId,asc,desc'])
    t.equal((await get(`/push/campaign/${id}/user/list?sort=${sort}`)).status, 400, sort)
  t.equal((await post(`/push/campaign/${id}/delete`, {})).status, 200)
  const rows = await database.query('SELECT 1 FROM campaign_users WHERE campaign_id = $1', [id])
  t.equal(rows.length, 3, 'they are removed later')
  t.same(await listed(''), [])
})

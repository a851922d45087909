// The inbox over real HTTP and a real database: its limits, its texts, its order, and both ways of reading.
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import type { Response } from '@push-server/testing'
import { APP, openGateway } from './_gateway.ts'
import { isOk, violates } from './_watched-api.ts'

const MESSAGES = '/inbox/messages'
const LIST = `${MESSAGES}/list`
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/

const gateway = await openGateway({ BODY_LIMIT: '1048576' })
t.teardown(() => gateway.stack.close())
const { api, database, makeApplication } = gateway
const { call, get, post } = api

const inboxMessage = (more: object = {}) => ({
  userId: 'user-001',
  type: 'text',
  subject: 'Example subject',
  summary: 'Example summary',
  body: 'Example message body',
  applications: [APP],
  ...more,
})
const query = (members: Record<string, string | number | boolean>) => {
  const given = Object.entries(members).map(([name, value]): [string, string] => [name, String(value)])
  return `?${new URLSearchParams(given).toString()}`
}
const list = (members: Record<string, string | number | boolean>) =>
  get(`${LIST}${query({ applications: APP, ...members })}`)
const count = async (userId: string, appId = APP) =>
  (await get(`${MESSAGES}/count${query({ userId, appId })}`)).body.responseObject.countUnread
const create = async (more: object = {}) => (await post(MESSAGES, inboxMessage(more))).body.responseObject

interface Listed {
  id: string
  subject: string
}
const subjectsOf = ({ body }: Response) => body.responseObject.map(({ subject }: Listed) => subject)

const refused = (t: Test, { status, body }: Response, [code, message]: readonly [string, string], name = message) =>
  t.same([status, body], [400, { status: 'ERROR', responseObject: { code, message } }], name)

const UNKNOWN_IN_LIST = [
  'ERROR_APP_NOT_FOUND',
  'Application list contained an app that is not configured in the system.',
] as const

/** Nothing was added to the inbox by the work. */
async function postsNothing(t: Test, work: () => Promise<unknown>) {
  const rows = async () =>
    database.query(
      'SELECT (SELECT count(*)::int FROM inbox_messages), (SELECT count(*)::int AS shown FROM inbox_message_applications)',
    )
  const before = await rows()
  await work()
  t.same(await rows(), before, 'nothing is stored')
}

t.test('C-81 every limit at both sides, in UTF-16 units', async (t) => {
  const limits: [field: string, most: number][] = [
    ['userId', 255],
    ['subject', 255],
    ['summary', 255],
    ['body', 65_536],
  ]
  for (const [field, most] of limits) {
    isOk(t, await post(MESSAGES, inboxMessage({ [field]: 'x' })), `${field} of 1`)
    isOk(t, await post(MESSAGES, inboxMessage({ [field]: 'x'.repeat(most) })), `${field} of ${most}`)
  }
  await postsNothing(t, async () => {
    for (const [field, most] of limits) {
      const at = `requestObject.${field}`
      violates(t, await post(MESSAGES, inboxMessage({ [field]: '' })), [at, /^must not be empty$/], `${field} of 0`)
      violates(t, await post(MESSAGES, inboxMessage({ [field]: null })), [at, /^must not be null$/], `${field} null`)
      violates(
        t,
        await post(MESSAGES, inboxMessage({ [field]: 'x'.repeat(most + 1) })),
        [at, new RegExp(`^size must be at most ${most}$`)],
        `${field} of ${most + 1}`,
      )
    }
  })
  isOk(t, await post(MESSAGES, inboxMessage({ subject: `${'😀'.repeat(127)}x` })), '127 pairs and one are 255 units')
  const pairs = await post(MESSAGES, inboxMessage({ subject: '😀'.repeat(128) }))
  violates(t, pairs, ['requestObject.subject', /at most 255/], '128 pairs are 256 units')
  const long = await post(MESSAGES, inboxMessage({ subject: 'x'.repeat(300) }))
  t.equal(long.body.responseObject.violations.length, 1, 'reported once')
})

t.test('C-82 the form of a message', async (t) => {
  const cases: [object: unknown, field: string, hint: RegExp][] = [
    [null, 'requestObject', /^must not be null$/],
    [undefined, 'requestObject', /^must not be null$/],
    ['text', 'requestObject', /object/],
    [inboxMessage({ type: 'markdown' }), 'requestObject.type', /^must be one of text, html$/],
    [inboxMessage({ type: null }), 'requestObject.type', /^must not be null$/],
    [inboxMessage({ applications: null }), 'requestObject.applications', /^must not be null$/],
    [inboxMessage({ applications: [] }), 'requestObject.applications', /^must not be empty$/],
    [inboxMessage({ applications: APP }), 'requestObject.applications', /array/],
    [inboxMessage({ applications: [APP, null] }), 'requestObject.applications[1]', /string/],
    [inboxMessage({ applications: [''] }), 'requestObject.applications[0]', /^must not be empty$/],
    [inboxMessage({ subject: {} }), 'requestObject.subject', /string/],
    [inboxMessage({ body: 'a\0b' }), 'requestObject.body', /U\+0000/],
  ]
  await postsNothing(t, async () => {
    for (const [object, field, hint] of cases)
      violates(t, await post(MESSAGES, object), [field, hint], `${field} ${JSON.stringify(object)?.slice(0, 80)}`)
    const { body } = await post(MESSAGES, {})
    t.same(
      body.responseObject.violations.map(({ fieldName }: { fieldName: string }) => fieldName).toSorted(),
      ['applications', 'body', 'subject', 'summary', 'type', 'userId'].map((field) => `requestObject.${field}`),
      'all at once',
    )
  })
  t.match(await create({ type: 'HTML' }), { type: 'html' }, 'the type in any case')
  t.match(await create({ subject: 17, summary: true }), { subject: '17', summary: 'true' }, 'scalars for texts')
})

t.test('C-83 post: the response, and applications by any id', async (t) => {
  const other = await makeApplication(`x.${randomUUID()}`)
  const short = await makeApplication('é')
  const message = await create({ userId: 'poster', applications: [short, other, APP] })
  const { id, timestampCreated, ...rest } = message
  t.match(id, UUID)
  t.match(timestampCreated, TIME)
  t.same(rest, { ...inboxMessage({ userId: 'poster' }), applications: [APP, other, short], read: false })
  const detail = await get(`${MESSAGES}/detail${query({ id })}`)
  t.same(detail.body.responseObject, message, 'as it is shown later')
})

t.test('C-84 applications that are unknown or named twice', async (t) => {
  await postsNothing(t, async () => {
    for (const applications of [['nowhere'], [APP, 'nowhere'], [APP, APP]])
      refused(t, await post(MESSAGES, inboxMessage({ applications })), UNKNOWN_IN_LIST, `post ${applications.join()}`)
  })
  for (const applications of ['nowhere', `${APP},nowhere`, `${APP},${APP}`, `${APP}, ${APP}`, `,${APP}`])
    refused(t, await list({ userId: 'u', applications }), UNKNOWN_IN_LIST, `list ${applications}`)
  isOk(t, await list({ userId: 'u', applications: `${APP},,` }), 'commas at the end do not count')
  violates(t, await list({ userId: 'u', applications: ',' }), ['applications', /application/])
  const unknown = ['ERROR_APP_NOT_FOUND', 'Application was not found: nowhere'] as const
  refused(t, await get(`${MESSAGES}/count${query({ userId: 'u', appId: 'nowhere' })}`), unknown, 'count')
  const ofNowhere = { userId: 'u', appId: 'nowhere' }
  refused(t, await call('PUT', `${MESSAGES}/read-all${query(ofNowhere)}`), unknown, 'PUT read-all')
  refused(t, await post(`${MESSAGES}/read-all`, ofNowhere), unknown, 'POST read-all')
})

t.test('C-85 list: newest first, those of the same time in one order, each once', async (t) => {
  const userId = randomUUID()
  const other = await makeApplication()
  const silent = await makeApplication()
  for (const [subject, applications] of [
    ['first', [APP]],
    ['second', [APP, other]],
    ['third', [other]],
    ['fourth', [silent]],
  ] as const)
    await create({ userId, subject, applications })
  await create({ userId: `${userId}-neighbour`, subject: 'of another' })
  t.same(subjectsOf(await list({ userId })), ['second', 'first'])
  t.same(subjectsOf(await list({ userId, applications: `${APP},${other}` })), ['third', 'second', 'first'])
  t.same(subjectsOf(await list({ userId: randomUUID() })), [], 'an empty inbox')
  const { body } = await list({ userId, size: 1 })
  t.same(Object.keys(body), ['status', 'page', 'size', 'responseObject'])
  t.same(Object.keys(body.responseObject[0]), ['id', 'type', 'subject', 'summary', 'read', 'timestampCreated'])

  await database.query("UPDATE inbox_messages SET created_at = '2026-01-01' WHERE user_id = $1", [userId])
  const all = { userId, applications: `${APP},${other},${silent}` }
  t.same(subjectsOf(await list(all)), ['fourth', 'third', 'second', 'first'])
  t.same(subjectsOf(await list({ ...all, sort: 'subject' })), ['first', 'fourth', 'second', 'third'])
  t.same(subjectsOf(await list({ ...all, sort: 'subject,desc' })), ['third', 'second', 'fourth', 'first'])
  t.same(subjectsOf(await list({ ...all, sort: 'timestampCreated,asc' })), ['fourth', 'third', 'second', 'first'])
  const { id } = (await list(all)).body.responseObject[1]
  await post(`${MESSAGES}/read`, { inboxId: id })
  t.same(subjectsOf(await list({ ...all, sort: 'read,asc' })), ['fourth', 'second', 'first', 'third'])
  t.same(subjectsOf(await list({ ...all, sort: 'read,DESC' })), ['third', 'fourth', 'second', 'first'])
  for (const sort of ['password', 'subject,up', 'subject; DROP TABLE inbox_messages'])
    violates(t, await list({ ...all, sort }), ['sort', /match/], `sort=${sort}`)
})

t.test('C-86 list: pages, whatever is requested', async (t) => {
  const userId = randomUUID()
  await database.query(
    `WITH message AS (
       INSERT INTO inbox_messages (user_id, type, subject, summary, body, created_at)
       SELECT $1, 'text', n::text, 's', 'b', '2026-01-01'::timestamptz + n / 7 * interval '1 second'
       FROM generate_series(1, 2100) AS n RETURNING id)
     INSERT INTO inbox_message_applications SELECT message.id, a.id FROM message, applications a WHERE a.app_id = $2`,
    [userId, APP],
  )
  const cases: [given: Record<string, string>, page: number, size: number, length: number][] = [
    [{}, 0, 100, 100],
    [{ page: '1', size: '7' }, 1, 7, 7],
    [{ page: '209', size: '10' }, 209, 10, 10],
    [{ page: '210', size: '10' }, 210, 10, 0],
    [{ page: '-1', size: '0' }, 0, 100, 100],
    [{ page: 'one', size: 'many' }, 0, 100, 100],
    [{ page: '', size: '' }, 0, 100, 100],
    [{ page: '1.5', size: '-3' }, 0, 100, 100],
    [{ size: '2000' }, 0, 2000, 2000],
    [{ size: '2001' }, 0, 2000, 2000],
    [{ page: '1', size: '99999999999' }, 1, 2000, 100],
    [{ page: '99999999999999999999' }, 2_147_483_647, 100, 0],
  ]
  for (const [given, page, size, length] of cases) {
    const { status, body } = await list({ userId, ...given })
    t.same(
      [status, body.page, body.size, body.responseObject?.length],
      [200, page, size, length],
      JSON.stringify(given),
    )
  }
  const pages = await Promise.all(Array.from({ length: 70 }, (_, page) => list({ userId, page, size: 30 })))
  const ids = pages.flatMap(({ body }) => body.responseObject.map(({ id }: Listed) => id))
  t.equal(new Set(ids).size, 2100, 'no message on two pages, none left out')
})

t.test('C-87 list: only what is unread, in all spellings of truth', async (t) => {
  const userId = randomUUID()
  const first = await create({ userId, subject: 'read' })
  await create({ userId, subject: 'unread' })
  await call('PUT', `${MESSAGES}/read${query({ userId, messageId: first.id })}`)
  for (const onlyUnread of ['true', 'on', 'yes', '1', 'TRUE', 'Yes'])
    t.same(subjectsOf(await list({ userId, onlyUnread })), ['unread'], onlyUnread)
  for (const onlyUnread of ['false', 'off', 'no', '0', 'False', ''])
    t.same(subjectsOf(await list({ userId, onlyUnread })), ['unread', 'read'], onlyUnread || 'empty')
  for (const onlyUnread of ['perhaps', '2', 'null'])
    violates(t, await list({ userId, onlyUnread }), ['onlyUnread', /boolean/], onlyUnread)
  t.same(subjectsOf(await list({ userId, onlyUnread: true, sort: 'subject,asc' })), ['unread'])
})

t.test('C-88 queries that lack something or have too much of it', async (t) => {
  const long = 'x'.repeat(256)
  const cases: [method: string, path: string, field: string, hint: RegExp][] = [
    ['GET', `${LIST}?applications=${APP}`, 'userId', /null/],
    ['GET', `${LIST}?userId=u`, 'applications', /null/],
    ['GET', `${LIST}?userId=&applications=${APP}`, 'userId', /empty/],
    ['GET', `${LIST}?userId=${long}&applications=${APP}`, 'userId', /at most 255/],
    ['GET', `${LIST}?userId=u&applications=`, 'applications', /empty/],
    ['GET', `${LIST}?userId=u&applications=${long}`, 'applications', /at most 255/],
    ['GET', `${LIST}?userId=u&userId=v&applications=${APP}`, 'userId', /string/],
    ['GET', `${LIST}?userId=%00&applications=${APP}`, 'userId', /U\+0000/],
    ['GET', `${MESSAGES}/count?userId=u`, 'appId', /null/],
    ['GET', `${MESSAGES}/count?appId=${APP}`, 'userId', /null/],
    ['GET', `${MESSAGES}/count?userId=u&appId=${long}`, 'appId', /at most 255/],
    ['GET', `${MESSAGES}/detail`, 'messageId', /null/],
    ['GET', `${MESSAGES}/detail?messageId=${long}`, 'messageId', /at most 255/],
    ['PUT', `${MESSAGES}/read?userId=u`, 'messageId', /null/],
    ['PUT', `${MESSAGES}/read-all?userId=u`, 'appId', /null/],
    ['PUT', `${MESSAGES}/read-all?appId=${APP}`, 'userId', /null/],
  ]
  for (const [method, path, field, hint] of cases)
    violates(t, await call(method, path), [field, hint], `${method} ${path.slice(0, 80)}`)
  for (const [path, object, field] of [
    ['read', {}, 'inboxId'],
    ['read', { inboxId: null }, 'inboxId'],
    ['read-all', { userId: 'u' }, 'appId'],
    ['read-all', { appId: APP }, 'userId'],
  ] as const)
    violates(t, await post(`${MESSAGES}/${path}`, object), [`requestObject.${field}`, /null/], `POST ${path} ${field}`)
  violates(t, await post(`${MESSAGES}/read`, null), ['requestObject', /null/])
})

t.test('C-89 count: unread ones of one application', async (t) => {
  const userId = randomUUID()
  const other = await makeApplication()
  t.equal(await count(userId), 0)
  const { id } = await create({ userId, applications: [APP, other] })
  await create({ userId })
  t.same([await count(userId), await count(userId, other)], [2, 1])
  await post(`${MESSAGES}/read`, { inboxId: id })
  t.same([await count(userId), await count(userId, other)], [1, 0], 'read is read everywhere')
})

t.test('C-90 read: both forms, twice, at once', async (t) => {
  const userId = randomUUID()
  const ways: Record<string, (id: string) => Promise<Response>> = {
    'PUT messageId': (id) => call('PUT', `${MESSAGES}/read${query({ userId, messageId: id })}`),
    'PUT id': (id) => call('PUT', `${MESSAGES}/read${query({ id })}`),
    'PUT with an empty body': (id) =>
      call('PUT', `${MESSAGES}/read${query({ userId, messageId: id })}`, {
        body: '',
        headers: { 'content-type': 'application/json' },
      }),
    POST: (id) => post(`${MESSAGES}/read`, { inboxId: id }),
    'POST with the user': (id) => post(`${MESSAGES}/read`, { inboxId: id, userId }),
  }
  for (const [name, read] of Object.entries(ways)) {
    const message = await create({ userId })
    const first = await read(message.id)
    const { timestampRead } = first.body.responseObject
    t.match(timestampRead, TIME, name)
    t.same(first.body.responseObject, { ...message, read: true, timestampRead })
    t.same((await read(message.id)).body, first.body, `${name}: a second time changes nothing`)
    const detail = await get(`${MESSAGES}/detail${query({ messageId: message.id })}`)
    t.same(detail.body, first.body, `${name}: as it is shown`)
  }
  const { id } = await create({ userId })
  const responses = await Promise.all(Array.from({ length: 8 }, () => post(`${MESSAGES}/read`, { inboxId: id })))
  const times = new Set(responses.map(({ body }) => body.responseObject.timestampRead))
  t.equal(times.size, 1, 'of several at once all see the same time')
})

t.test('C-91 read-all: what the application shows, in both forms', async (t) => {
  const other = await makeApplication()
  for (const [name, readAll] of Object.entries<(members: { userId: string; appId: string }) => Promise<Response>>({
    PUT: (members) => call('PUT', `${MESSAGES}/read-all${query(members)}`),
    POST: (members) => post(`${MESSAGES}/read-all`, members),
  })) {
    const userId = randomUUID()
    const before = await create({ userId })
    const { body: once } = await post(`${MESSAGES}/read`, { inboxId: before.id })
    await create({ userId, applications: [APP, other] })
    await create({ userId, applications: [other] })
    await create({ userId: `${userId}-neighbour` })
    const responses = await Promise.all([readAll({ userId, appId: APP }), readAll({ userId, appId: APP })])
    for (const { status, body } of responses) t.same([status, body], [200, { status: 'OK' }], name)
    t.same([await count(userId), await count(userId, other)], [0, 1], 'the rest stays unread')
    t.equal(await count(`${userId}-neighbour`), 1)
    t.same((await get(`${MESSAGES}/detail${query({ id: before.id })}`)).body, once, 'an earlier time stays')
  }
})

t.test('C-92 messages that are unknown, of another or no ids at all', async (t) => {
  const { id } = await create({ userId: 'owner' })
  for (const unknown of [randomUUID(), 'no-id', '1', "'; DROP TABLE inbox_messages; --"]) {
    const code = 'ERROR_MESSAGE_NOT_FOUND'
    const fetched = await get(`${MESSAGES}/detail${query({ id: unknown })}`)
    refused(t, fetched, [code, `Unable to fetch message: ${unknown}.`])
    const unmarked = [code, `Unable to mark message: ${unknown} as read.`] as const
    refused(t, await post(`${MESSAGES}/read`, { inboxId: unknown }), unmarked)
    refused(t, await call('PUT', `${MESSAGES}/read${query({ userId: 'u', messageId: unknown })}`), unmarked)
  }
  const stranger = await call('PUT', `${MESSAGES}/read${query({ userId: 'stranger', messageId: id })}`)
  refused(t, stranger, ['ERROR_MESSAGE_NOT_FOUND', `Unable to mark message: ${id} as read.`], 'of another')
  t.match((await get(`${MESSAGES}/detail${query({ id })}`)).body.responseObject, { read: false })
})

t.test('no response disclosed anything internal, and each had an id', async (t) => {
  t.same(api.leaks, [])
})

// How inbox messages end: by their own time, by the age of a setting, by deletion. The database's clock decides, not a test's waiting.
import { randomUUID } from 'node:crypto'
import { INBOX_WORDS } from '@push-server/contract'
import { createApi, makeApiKey, openTestStack, waitFor, type Api, type Response } from '@push-server/testing'
import t, { type Test } from 'tap'
import { APP, openGateway } from './_gateway.ts'
import { isOk, violates } from './_watched-api.ts'

const MESSAGES = '/inbox/messages'
const LATER = '2099-01-01T00:00:00Z'

const gateway = await openGateway()
t.teardown(() => gateway.stack.close())
const { api, database, makeApplication, stack } = gateway

/** Of a gateway, on one database. */
const clientOf = ({ get, post, call }: Api) => {
  const idsOf = ({ body }: Response): string[] => body.responseObject.map(({ id }: { id: string }) => id)
  return {
    call,
    create: (more: object = {}) =>
      post(MESSAGES, {
        userId: 'u',
        type: 'text',
        subject: 'Subject',
        summary: 'Summary',
        body: 'Body',
        applications: [APP],
        ...more,
      }),
    detail: (id: string) => get(`${MESSAGES}/detail?messageId=${id}`),
    read: (id: string) => post(`${MESSAGES}/read`, { inboxId: id }),
    readAll: (userId: string) => post(`${MESSAGES}/read-all`, { userId, appId: APP }),
    remove: (id: string, userId?: string) =>
      call('DELETE', `${MESSAGES}/${encodeURIComponent(id)}${userId === undefined ? '' : `?userId=${userId}`}`),
    removeAll: (userId: string, appId = APP) => call('DELETE', `${MESSAGES}?userId=${userId}&appId=${appId}`),
    count: async (userId: string, appId = APP): Promise<number> =>
      (await get(`${MESSAGES}/count?userId=${userId}&appId=${appId}`)).body.responseObject.countUnread,
    list: async (userId: string, applications = APP, more = '') =>
      idsOf(await get(`${MESSAGES}/list?userId=${userId}&applications=${applications}${more}`)),
  }
}
const inbox = clientOf(api)
const made = async (more: object = {}): Promise<string> => (await inbox.create(more)).body.responseObject.id
const isThere = async (id: string) =>
  (await database.query('SELECT 1 FROM inbox_messages WHERE public_id = $1', [id])).length > 0
const moveEnd = (id: string, by: string) =>
  database.query('UPDATE inbox_messages SET valid_until = now() + $2::interval WHERE public_id = $1', [id, by])

const notFound = (t: Test, { status, body }: Response, message: string, name = message) =>
  t.same([status, body], [400, { status: 'ERROR', responseObject: { code: 'ERROR_MESSAGE_NOT_FOUND', message } }], name)

/** It is shown nowhere, though its row is there. */
async function isGone(
  t: Test,
  { list, count, detail, read, readAll, remove }: typeof inbox,
  id: string,
  userId: string,
) {
  t.ok(await isThere(id), 'its row is still there')
  for (const more of ['', '&onlyUnread=true', '&sort=subject,asc', '&onlyUnread=true&sort=read,desc'])
    t.same(await list(userId, APP, more), [], `list${more}`)
  t.equal(await count(userId), 0, 'count')
  notFound(t, await detail(id), `Unable to fetch message: ${id}.`)
  notFound(t, await read(id), `Unable to mark message: ${id} as read.`)
  isOk(t, await readAll(userId), 'read-all')
  t.match(
    await database.query('SELECT read_at FROM inbox_messages WHERE public_id = $1', [id]),
    [{ read_at: null }],
    'nothing reads it',
  )
  notFound(t, await remove(id), `Unable to delete message: ${id}.`)
}

t.test('validUntil is read as other times, and shown in create, detail, read and list', async (t) => {
  const userId = randomUUID()
  for (const [given, shown] of [
    [LATER, '2099-01-01T00:00:00.000+00:00'],
    ['2099-01-01T02:00:00.500+02:00', '2099-01-01T00:00:00.500+00:00'],
    [4_070_908_800, '2099-01-01T00:00:00.000+00:00'],
    ['4070908800', '2099-01-01T00:00:00.000+00:00'],
    [null, undefined],
    ['', undefined],
  ] as const) {
    const { status, body } = await inbox.create({ userId, validUntil: given })
    t.equal(status, 200, String(given))
    const { id, validUntil } = body.responseObject
    t.equal(validUntil, shown, String(given))
    t.equal((await inbox.detail(id)).body.responseObject.validUntil, shown)
    t.equal((await inbox.read(id)).body.responseObject.validUntil, shown)
    const listed = await api.get(`${MESSAGES}/list?userId=${userId}&applications=${APP}&size=1`)
    t.equal(listed.body.responseObject[0].validUntil, shown)
  }
  for (const [given, hint] of [
    ['tomorrow', /ISO 8601/],
    ['2026-02-30T00:00:00Z', /ISO 8601/],
    [4_070_908_800_000, /not milliseconds/],
    [-1, /ISO 8601/],
    ['2020-01-01T00:00:00Z', /must be in the future/],
    [0, /must be in the future/],
  ] as const)
    violates(t, await inbox.create({ userId, validUntil: given }), ['requestObject.validUntil', hint], String(given))
  violates(t, await inbox.create({ validUntil: {} }), ['requestObject.validUntil', /./])
})

t.test('a message that has expired is shown nowhere from that moment on', async (t) => {
  const userId = randomUUID()
  const id = await made({ userId, validUntil: LATER })
  await moveEnd(id, '1 hour')
  t.same([await inbox.list(userId), await inbox.count(userId)], [[id], 1], 'until then it is')
  await moveEnd(id, '-1 ms')
  await isGone(t, inbox, id, userId)
})

t.test('INBOX_MAX_AGE: as good as gone at that age, and then removed', async (t) => {
  const aged = await openTestStack({
    services: ['gateway'],
    environment: {
      INBOX_MAX_AGE: '1h',
      DATABASE_URL: database.url,
      ENCRYPTION_KEY: stack.environment['ENCRYPTION_KEY'] ?? '',
    },
  })
  t.teardown(() => aged.close())
  const old = clientOf(aged.api)
  const userId = randomUUID()
  const id = await made({ userId })
  const age = (by: string) =>
    database.query('UPDATE inbox_messages SET created_at = now() - $2::interval WHERE public_id = $1', [id, by])
  await age('59 minutes')
  t.same([await old.list(userId), await old.count(userId)], [[id], 1])
  await age('61 minutes')
  await isGone(t, old, id, userId)
  t.same(await inbox.list(userId), [id], 'without the setting it stays')
})

t.test('retention removes what has expired, what is too old, and what became of devices long ago', async (t) => {
  const [expired, young, without] = [await made({ validUntil: LATER }), await made({ validUntil: LATER }), await made()]
  await moveEnd(expired, '-1 ms')
  const { retention } = stack.context.store
  while ((await retention.removeExpiredInbox(1)) > 0);
  t.same([await isThere(expired), await isThere(young), await isThere(without)], [false, true, true])
  await database.query("UPDATE inbox_messages SET created_at = now() - interval '1 day' WHERE public_id = $1", [young])
  const HOUR = 3_600_000
  t.equal(await retention.removeOldInbox(25 * HOUR, 100), 0)
  t.equal(await retention.removeOldInbox(23 * HOUR, 100), 1)
  t.same([await isThere(young), await isThere(without)], [false, true])
  t.same(
    await database.query(
      'SELECT 1 FROM inbox_message_applications s WHERE NOT EXISTS (SELECT FROM inbox_messages m WHERE m.id = s.message_id)',
    ),
    [],
  )
})

t.test('the scheduler removes them', async (t) => {
  const whole = await openTestStack({ environment: { RETENTION_INTERVAL: '100ms', INBOX_MAX_AGE: '1h' } })
  t.teardown(() => whole.close())
  await whole.configure()
  const { create } = clientOf(whole.api)
  for (const subject of ['expired', 'old', 'young']) await create({ subject, validUntil: LATER })
  await whole.database.query(
    `UPDATE inbox_messages SET valid_until = CASE subject WHEN 'expired' THEN now() ELSE valid_until END,
       created_at = CASE subject WHEN 'old' THEN now() - interval '2 hours' ELSE created_at END`,
  )
  const left = () => whole.database.query<{ subject: string }>('SELECT subject FROM inbox_messages')
  await waitFor('two of them to go', async () => (await left()).length === 1)
  t.same(await left(), [{ subject: 'young' }])
})

t.test('DELETE of one message: its owner alone, where a user is named', async (t) => {
  const other = await makeApplication()
  const id = await made({ userId: 'owner', applications: [APP, other] })
  const unable = (one: string) => `Unable to delete message: ${one}.`
  notFound(t, await inbox.remove(id, 'stranger'), unable(id))
  t.ok(await isThere(id))
  isOk(t, await inbox.remove(id, 'owner'), 'deleted')
  t.notOk(await isThere(id), 'from every application')
  notFound(t, await inbox.remove(id, 'owner'), unable(id), 'a second time')
  const another = await made()
  isOk(t, await inbox.remove(another), 'without a user')
  for (const unknown of [randomUUID(), 'no-id', '1', 'lists', 'reads', "'; DROP TABLE inbox_messages; --"])
    notFound(t, await inbox.remove(unknown), unable(unknown))
  violates(t, await inbox.remove(another, ''), ['userId', /empty/])
})

t.test('the words of other operations are no ids', async (t) => {
  for (const word of INBOX_WORDS) {
    const { status, body } = await inbox.call('DELETE', `${MESSAGES}/${word}`)
    t.ok(status === 405 || (word === 'import' && status === 404), `${word}: ${status}`)
    t.not(body.responseObject.code, 'ERROR_MESSAGE_NOT_FOUND', word)
  }
  const { paths } = (await api.get('/v3/api-docs')).body as { paths: Record<string, object> }
  const below = Object.keys(paths).filter((path) => path.startsWith(`${MESSAGES}/`))
  const words = below.map((path) => path.slice(MESSAGES.length + 1)).filter((word) => !word.startsWith('{'))
  t.ok(words.length >= 5)
  t.same(
    words.filter((word) => !(INBOX_WORDS as readonly string[]).includes(word)),
    [],
    'every operation below the path is known as a word',
  )
  t.equal((await inbox.call('DELETE', `${MESSAGES}/a/b`)).status, 404)
  t.equal((await inbox.call('GET', `${MESSAGES}/${randomUUID()}`)).status, 405)
})

t.test('DELETE of all: what only this application shows goes, the rest stays in the others', async (t) => {
  const [userId, other] = [randomUUID(), await makeApplication()]
  const own = await made({ userId })
  const shared = await made({ userId, applications: [APP, other] })
  const theirs = await made({ userId, applications: [other] })
  const neighbours = await made({ userId: `${userId}x` })
  const expired = await made({ userId, validUntil: LATER })
  await moveEnd(expired, '-1 ms')
  isOk(t, await inbox.removeAll(userId), 'deleted')
  t.same([await inbox.list(userId), await inbox.count(userId)], [[], 0])
  t.same([await isThere(own), await isThere(expired), await isThere(neighbours)], [false, false, true])
  t.same(await inbox.list(userId, other), [theirs, shared])
  t.same((await inbox.detail(shared)).body.responseObject.applications, [other])
  isOk(t, await inbox.removeAll(userId), 'nothing left is no error')
  isOk(t, await inbox.removeAll(userId, other), 'the last application')
  t.same([await isThere(shared), await isThere(theirs)], [false, false])
  const { status, body } = await inbox.removeAll(userId, 'nowhere')
  t.match(
    [status, body.responseObject],
    [400, { code: 'ERROR_APP_NOT_FOUND', message: 'Application was not found: nowhere' }],
  )
  for (const [query, field] of [
    [`userId=${userId}`, 'appId'],
    [`appId=${APP}`, 'userId'],
  ] as const)
    violates(t, await inbox.call('DELETE', `${MESSAGES}?${query}`), [field, /null/])
})

t.test('applications that let go of the same messages at once leave none that nobody shows', async (t) => {
  const userId = randomUUID()
  const applications = [APP, await makeApplication(), await makeApplication()]
  for (let count = 0; count < 20; count++) await made({ userId, applications })
  const doomed = applications.at(-1) ?? ''
  await Promise.all([
    ...applications.slice(0, -1).map((appId) => inbox.removeAll(userId, appId)),
    api.post('/admin/app/remove', { appId: doomed }),
  ])
  const { applicationRemovals } = stack.context.store
  while (await applicationRemovals.clear(7));
  t.same(await database.query('SELECT 1 FROM inbox_messages WHERE user_id = $1', [userId]), [])
})

t.test('scopes and bound keys: a key deletes what its applications alone show', async (t) => {
  const keyed = await openTestStack({ services: ['gateway'] })
  t.teardown(() => keyed.close())
  await keyed.configure()
  const [mine, theirs] = [`app-${randomUUID()}`, `app-${randomUUID()}`]
  for (const appId of [mine, theirs]) await keyed.context.store.applications.create(appId)
  const keyOf = async (...given: Parameters<typeof makeApiKey>[1][]) =>
    clientOf(
      createApi(keyed.api.url, { authorization: `Bearer ${await makeApiKey(keyed.context, ...(given as [never]))}` }),
    )
  const whole = await keyOf({ scopes: ['inbox'] })
  const bound = await keyOf({ scopes: ['inbox'], appIds: [mine] })
  const device = await keyOf({ scopes: ['device'] })
  const create = async (applications: string[]) =>
    (await whole.create({ applications })).body.responseObject.id as string
  const [own, shared, foreign] = [await create([mine]), await create([mine, theirs]), await create([theirs])]
  const statusOf = async (work: Promise<Response>) => (await work).status
  t.same(
    await Promise.all([shared, foreign, randomUUID()].map((id) => statusOf(bound.remove(id)))),
    [403, 403, 403],
    'of others, and what nobody knows',
  )
  t.equal(await statusOf(device.remove(own)), 403, 'another scope')
  t.equal(await statusOf(device.removeAll('u', mine)), 403)
  t.equal(await statusOf(bound.removeAll('u', theirs)), 403)
  t.equal(await statusOf(bound.remove(own)), 200)
  t.equal(await statusOf(bound.removeAll('u', mine)), 200)
  t.same((await whole.detail(shared)).body.responseObject.applications, [theirs])
  t.equal(await statusOf(whole.remove(foreign)), 200)
})

t.test('no response disclosed anything internal, and each had an id', async (t) => t.same(api.leaks, []))

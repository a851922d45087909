// C-81 to C-92: messages that wait until the user reads them.
import { randomUUID } from 'node:crypto'
import { isOk, violates } from '../_watched-api.ts'
import { TIMESTAMP, type Checks, type Target } from './_target.ts'

const MESSAGES = '/inbox/messages'
const UNKNOWN_APPLICATIONS = 'Application list contained an app that is not configured in the system.'
const message = (more: object) => ({ type: 'text', subject: 's', summary: 's', body: 'b', ...more })

const post = async ({ api, appId }: Target, userId: string, more: object = {}) =>
  (await api.post(MESSAGES, message({ userId, applications: [appId], ...more }))).body.responseObject
const list = async ({ api, appId }: Target, userId: string, more: Record<string, string> = {}) =>
  (await api.get(`${MESSAGES}/list?${new URLSearchParams({ userId, applications: appId, ...more }).toString()}`)).body
const count = async ({ api, appId }: Target, userId: string) =>
  (await api.get(`${MESSAGES}/count?userId=${userId}&appId=${appId}`)).body.responseObject.countUnread
const refusal = (code: string, text: string) => ({
  status: 400,
  body: { status: 'ERROR', responseObject: { code, message: text } },
})

export const inboxChecks: Checks = {
  'C-81 lengths at both ends (Inbox text lengths)': async (t, target) => {
    const userId = randomUUID()
    for (const [member, most] of [
      ['subject', 255],
      ['summary', 255],
      ['body', 65_536],
    ] as const) {
      for (const length of [1, most])
        t.ok((await post(target, userId, { [member]: 'x'.repeat(length) })).id, `${member} of ${length}`)
      for (const length of [0, most + 1]) {
        const object = message({ userId, applications: [target.appId], [member]: 'x'.repeat(length) })
        violates(t, await target.api.post(MESSAGES, object), [`requestObject.${member}`, /empty|at most/])
      }
    }
  },
  'C-82 the type, in any case': async (t, target) => {
    for (const [type, returned] of Object.entries({ text: 'text', HTML: 'html', Text: 'text' }))
      t.equal((await post(target, randomUUID(), { type })).type, returned, type)
    const object = message({ userId: 'u', applications: [target.appId], type: 'pdf' })
    violates(t, await target.api.post(MESSAGES, object), ['requestObject.type', /one of/])
  },
  'C-83 the response': async (t, target) => {
    const userId = randomUUID()
    const { id, timestampCreated, ...rest } = await post(target, userId)
    t.match([id, timestampCreated], [/\S/, TIMESTAMP])
    t.same(rest, message({ userId, read: false, applications: [target.appId] }))
  },
  'C-84 applications that are unknown or named twice': async (t, target) => {
    const { api, appId } = target
    const refused = refusal('ERROR_APP_NOT_FOUND', UNKNOWN_APPLICATIONS)
    for (const applications of [['nowhere'], [appId, 'nowhere'], [appId, appId]]) {
      t.match(await api.post(MESSAGES, message({ userId: 'u', applications })), refused, applications.join())
      t.match(await api.get(`${MESSAGES}/list?userId=u&applications=${applications.join()}`), refused)
    }
    violates(t, await api.post(MESSAGES, message({ userId: 'u', applications: [] })), [
      'requestObject.applications',
      /empty/,
    ])
  },
  'C-85 list: newest first': async (t, target) => {
    const userId = randomUUID()
    for (const subject of ['first', 'second', 'third']) await post(target, userId, { subject })
    const { responseObject } = await list(target, userId)
    t.same(
      responseObject.map(({ subject }: { subject: string }) => subject),
      ['third', 'second', 'first'],
    )
    t.same(Object.keys(responseObject[0]), ['id', 'type', 'subject', 'summary', 'read', 'timestampCreated'])
  },
  'C-86 list: pages (Inbox list page size)': async (t, target) => {
    const userId = randomUUID()
    for (const subject of ['first', 'second', 'third']) await post(target, userId, { subject })
    for (const [query, page, size, length] of [
      [{}, 0, 100, 3],
      [{ page: '1', size: '2' }, 1, 2, 1],
      [{ page: '-1', size: '0' }, 0, 100, 3],
      [{ size: '2001' }, 0, 2000, 3],
    ] as const) {
      const body = await list(target, userId, query)
      t.same([body.page, body.size, body.responseObject.length], [page, size, length], JSON.stringify(query))
    }
  },
  'C-87 list: only what is unread': async (t, target) => {
    const userId = randomUUID()
    const { id } = await post(target, userId)
    await post(target, userId)
    await target.api.post(`${MESSAGES}/read`, { inboxId: id })
    for (const [onlyUnread, length] of [
      ['true', 1],
      ['on', 1],
      ['false', 2],
      ['0', 2],
    ] as const)
      t.equal((await list(target, userId, { onlyUnread })).responseObject.length, length, onlyUnread)
  },
  'C-88 queries that lack something': async (t, { api, appId }) => {
    violates(t, await api.get(`${MESSAGES}/list?applications=${appId}`), ['userId', /null/])
    violates(t, await api.get(`${MESSAGES}/list?userId=u`), ['applications', /null/])
    violates(t, await api.get(`${MESSAGES}/count?userId=u`), ['appId', /null/])
    violates(t, await api.get(`${MESSAGES}/list?userId=${'x'.repeat(256)}&applications=${appId}`), ['userId', /255/])
  },
  'C-89 count': async (t, target) => {
    const userId = randomUUID()
    t.equal(await count(target, userId), 0)
    await post(target, userId)
    t.equal(await count(target, userId), 1)
    t.match(
      await target.api.get(`${MESSAGES}/count?userId=u&appId=nowhere`),
      refusal('ERROR_APP_NOT_FOUND', 'Application was not found: nowhere'),
    )
  },
  'C-90 read twice, in both forms (Inbox read, read-all)': async (t, target) => {
    const userId = randomUUID()
    const { id } = await post(target, userId)
    const first = await target.api.post(`${MESSAGES}/read`, { inboxId: id })
    t.match(first.body.responseObject, { id, read: true, timestampRead: TIMESTAMP })
    const second = await target.api.call('PUT', `${MESSAGES}/read?userId=${userId}&messageId=${id}`)
    t.same(second.body, first.body, 'the time of the first')
    for (const name of ['id', 'messageId'])
      t.same((await target.api.get(`${MESSAGES}/detail?${name}=${id}`)).body, first.body, name)
  },
  'C-91 read-all, in both forms (Inbox read, read-all)': async (t, target) => {
    const { api, appId } = target
    const userId = randomUUID()
    await post(target, userId)
    isOk(t, await api.post(`${MESSAGES}/read-all`, { userId, appId }), 'by body')
    t.equal(await count(target, userId), 0)
    await post(target, userId)
    isOk(t, await api.call('PUT', `${MESSAGES}/read-all?userId=${userId}&appId=${appId}`), 'by query')
    t.equal(await count(target, userId), 0)
  },
  'C-92 messages that nobody has': async (t, { api }) => {
    const id = randomUUID()
    t.match(
      await api.get(`${MESSAGES}/detail?id=${id}`),
      refusal('ERROR_MESSAGE_NOT_FOUND', `Unable to fetch message: ${id}.`),
    )
    t.match(
      await api.post(`${MESSAGES}/read`, { inboxId: id }),
      refusal('ERROR_MESSAGE_NOT_FOUND', `Unable to mark message: ${id} as read.`),
    )
  },
}

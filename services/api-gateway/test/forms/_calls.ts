// One successful call, at least, of every operation that the reference server has, as a script: later calls use what earlier ones have made.
import { randomUUID } from 'node:crypto'
import { APNS_SETTINGS, generateApnsKey, generateServiceAccount } from '@push-server/testing'
import { APP, base64, newToken } from '../_gateway.ts'

export interface Call {
  method: string
  /** With `{id}` where the description has it. */
  path: string
  id?: string | undefined
  query?: Readonly<Record<string, string>> | undefined
  /** In the wrapper, unless it is `bare`. */
  object?: unknown
  bare?: boolean
}

/** Resolves with the response's object. */
// The script reads members of many shapes; what is not there fails the reading.
export type Act = (call: Call) => Promise<any> // oxlint-disable-line typescript/no-explicit-any

export const nameOf = ({ method, path }: Call) => `${method} ${path}`

/** A message with every member that the reference's model has, and with nulls. */
const FULL_BODY = {
  title: 'Hello',
  titleLocKey: 'title.key',
  titleLocArgs: ['a'],
  body: 'There',
  bodyLocKey: 'body.key',
  bodyLocArgs: [],
  icon: 'icon',
  badge: 3,
  sound: null,
  category: 'news',
  collapseKey: '7',
  validUntil: '2099-01-01T00:00:00.500Z',
  extras: { text: 'x', list: [1, null, { nothing: null }], nothing: null, inside: { nothing: null } },
}

const CREDENTIALS = {
  ios: { ...APNS_SETTINGS, environment: 'production', privateKeyBase64: base64(generateApnsKey()) },
  android: { projectId: 'test-project', privateKeyBase64: base64(generateServiceAccount()) },
  huawei: { projectId: 'HMS123', clientId: '100000001', clientSecret: 'a secret' },
} as const
const PROVIDERS = { ios: 'apns', android: 'fcm', huawei: 'hms' } as const

/** `activationOf` resolves with an activation of the user that may register. */
export async function callEverything(act: Act, activationOf: (userId: string) => string): Promise<void> {
  const post = (path: string, object: unknown, more: Partial<Call> = {}) =>
    act({ method: 'POST', path, object, ...more })
  const get = (path: string, more: Partial<Call> = {}) => act({ method: 'GET', path, ...more })
  await get('/push/service/status')
  await administer({ act, post, get })
  await registerDevices({ act, post, get }, activationOf)
  for (const mode of ['SYNCHRONOUS', 'ASYNCHRONOUS', null]) {
    const message = { userId: 'anna', body: FULL_BODY }
    await post('/push/message/send', { appId: APP, mode, message })
    await post('/push/message/batch/send', { appId: APP, mode, batch: [message, message] })
  }
  await runCampaign({ act, post, get })
  await useInbox({ act, post, get })
}

interface Verbs {
  act: Act
  post(path: string, object: unknown, more?: Partial<Call>): ReturnType<Act>
  get(path: string, more?: Partial<Call>): ReturnType<Act>
}

async function administer({ act, post, get }: Verbs): Promise<void> {
  const appId = `app-${randomUUID()}`
  await post('/admin/app/create', { appId })
  for (const platform of ['ios', 'android', 'huawei'] as const) {
    const provider = PROVIDERS[platform]
    for (const method of ['POST', 'PUT'])
      for (const path of [`/admin/app/${platform}/update`, `/admin/app/${provider}`])
        await act({ method, path, object: { appId, ...CREDENTIALS[platform] } })
  }
  for (const name of ['Ios', 'Apns', 'Android', 'Fcm', 'Huawei', 'Hms'])
    await post('/admin/app/detail', { appId, [`include${name}`]: true })
  await get('/admin/app/list')
  await get('/admin/app/unconfigured/list')
  for (const platform of ['ios', 'android', 'huawei'] as const) {
    for (const method of ['POST', 'DELETE'])
      await act({ method, path: `/admin/app/${platform}/remove`, object: { appId } })
    await act({ method: 'DELETE', path: `/admin/app/${PROVIDERS[platform]}`, query: { appId } })
  }
  await post('/admin/app/detail', { appId })
}

async function registerDevices({ act, post }: Verbs, activationOf: (userId: string) => string): Promise<void> {
  const [activationId, token] = [activationOf('anna'), newToken()]
  const device = { appId: APP, platform: 'ios', token }
  await post('/push/device/create', { ...device, activationId, environment: 'production' })
  await post('/push/device/create/multi', { ...device, activationIds: [activationId, activationOf('anna')] })
  for (const method of ['POST', 'PUT'])
    await act({
      method,
      path: '/push/device/status/update',
      object: { activationId, activationStatus: 'BLOCKED' },
      bare: true,
    })
  for (const name of ['delete', 'remove'])
    for (const method of ['POST', 'DELETE'])
      await act({ method, path: `/push/device/${name}`, object: { appId: APP, token } })
  await post('/push/device/create', { ...device, activationId })
}

async function runCampaign({ act, post, get }: Verbs): Promise<void> {
  const make = async () => String((await post('/push/campaign/create', { appId: APP, message: FULL_BODY })).id)
  const id = await make()
  for (const method of ['POST', 'PUT'])
    await act({ method, path: '/push/campaign/{id}/user/add', id, object: ['anna', 'bob'] })
  await get('/push/campaign/{id}/user/list', { id, query: { page: '0', size: '10' } })
  for (const all of ['true', 'false']) await get('/push/campaign/list', { query: { all } })
  await post('/push/campaign/send/test/{id}', { userId: 'anna' }, { id })
  for (const method of ['POST', 'DELETE'])
    await act({ method, path: '/push/campaign/{id}/user/delete', id, object: ['bob'] })
  await post('/push/campaign/send/live/{id}', undefined, { id })
  await get('/push/campaign/{id}/detail', { id })
  for (const method of ['POST', 'DELETE']) {
    const other = await make()
    for (const time of ['once', 'twice'])
      await act({ method, path: '/push/campaign/{id}/delete', id: other, ...(time === 'twice' && { object: {} }) })
  }
  // What is called last is what refusals are derived from: a campaign that is there.
  await get('/push/campaign/{id}/detail', { id: await make() })
}

async function useInbox({ act, post, get }: Verbs): Promise<void> {
  const message = { subject: 'A subject', summary: 'A summary', body: 'A long body', type: 'text', applications: [APP] }
  const validUntil = '2099-01-01T00:00:00Z'
  const userId = `user-${randomUUID()}`
  const { id } = await post('/inbox/messages', { userId, ...message, validUntil })
  await get('/inbox/messages/list', { query: { userId, applications: APP, onlyUnread: 'false' } })
  await get('/inbox/messages/count', { query: { userId, appId: APP } })
  await get('/inbox/messages/detail', { query: { id } })
  await post('/inbox/messages/read', { inboxId: id })
  await act({ method: 'PUT', path: '/inbox/messages/read', query: { userId, messageId: id } })
  await get('/inbox/messages/detail', { query: { id } })
  await post('/inbox/messages/read-all', { userId, appId: APP })
  await act({ method: 'PUT', path: '/inbox/messages/read-all', query: { userId, appId: APP } })
}

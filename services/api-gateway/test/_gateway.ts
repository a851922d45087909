// A gateway on a database of its own, without a worker, and what the tests of the API send to it.
import { randomUUID } from 'node:crypto'
import { APNS_SETTINGS, generateApnsKey, openTestStack, type TestStack, type TestDatabase } from '@push-server/testing'
import type { Test } from 'tap'
import { watch, type WatchedApi } from './_watched-api.ts'

export const APP = 'mobile-app'
export const BODY_LIMIT = 65_536

export const SEND = '/push/message/send'
export const BATCH = '/push/message/batch/send'
export const CREATE = '/push/device/create'
export const UPDATE = '/admin/app/ios/update'
export const REMOVALS = ['remove', 'delete'].flatMap((name) =>
  ['POST', 'DELETE'].map((method) => ({ method, path: `/push/device/${name}` })),
)

export interface Gateway {
  stack: TestStack
  database: TestDatabase
  api: WatchedApi
  makeApplication(appId?: string): Promise<string>
  /** Fails the test when there is more or less of anything after the work. */
  changesNothing(t: Test, work: () => Promise<unknown>): Promise<void>
}

/** With APP, which has credentials for APNs. */
export async function openGateway(settings: Record<string, string> = {}): Promise<Gateway> {
  const stack = await openTestStack({
    services: ['gateway'],
    environment: { SYNC_TIMEOUT: '200ms', BODY_LIMIT: String(BODY_LIMIT), BATCH_SIZE: '3', ...settings },
  })
  const { database } = stack
  const api = watch(stack.api.url)
  await stack.configure(APP)
  return {
    stack,
    database,
    api,
    async makeApplication(appId = `app-${randomUUID()}`) {
      await api.post('/admin/app/create', { appId })
      return appId
    },
    async changesNothing(t, work) {
      const before = await census(database)
      await work()
      t.same(await census(database), before, 'nothing is stored')
    },
  }
}

/** Members of responses that the Java client of 2.2 reads into primitives: it throws when one of them is null. */
export const PRIMITIVES: ReadonlySet<string> = new Set(
  'sent failed pending total deleted read countUnread page size'.split(' '),
)

/** How much there is of everything. */
export async function census(database: TestDatabase): Promise<Record<string, number>> {
  const tables = ['applications', 'credentials', 'devices', 'activations', 'messages', 'deliveries', 'chunks']
  const [row] = await database.query<Record<string, number>>(
    `SELECT ${tables.map((table) => `(SELECT count(*)::int FROM ${table}) AS ${table}`).join(', ')}`,
  )
  return row ?? {}
}

export const base64 = (text: string) => Buffer.from(text).toString('base64')
export const newToken = () => `${randomUUID()}${randomUUID()}`.replaceAll('-', '')

export const credentials = (more: object = {}) => ({
  ...APNS_SETTINGS,
  privateKeyBase64: base64(generateApnsKey()),
  ...more,
})
export const device = (more: object) => ({
  appId: APP,
  platform: 'ios',
  token: 'aabb',
  activationId: 'x',
  userId: 'u',
  ...more,
})
export const message = (more: object = {}) => ({ userId: 'nobody', body: { title: 'Hello' }, ...more })
export const sending = (body: object, more: object = {}) => ({ appId: APP, message: { userId: 'u', body, ...more } })

/** A body as JSON, to be sent as it is. */
export const json = (value: unknown, headers: Record<string, string> = {}) => ({
  body: JSON.stringify(value),
  headers: { 'content-type': 'application/json', ...headers },
})

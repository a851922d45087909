// The server that is to conform, over HTTP alone: ours in this process, or the one that CONFORMANCE_URL names. It has an application
// with credentials for all three platforms, and believes registrations that name a user. What the checks read of a response, they read
// from the members of the form that is served there.
import { randomUUID } from 'node:crypto'
import { isForm, type Form } from '@push-server/contract'
import type { Response } from '@push-server/testing'
import type { Test } from 'tap'
import { json } from '../_gateway.ts'
import type { WatchedApi } from '../_watched-api.ts'

/** One conformance item. */
export type Check = (t: Test, target: Target) => Promise<void>
/** By number and name; one that does not say the forms that it holds in holds in all of them. */
export type Checks = Readonly<Record<string, Check | { in: readonly Form[]; check: Check }>>

export interface Target {
  api: WatchedApi
  appId: string
  form: Form
  /** With the request's object in the wrapper. */
  call(method: string, path: string, object: unknown): Promise<Response>
  /** A registration, on iOS by default. */
  register(more: object): Promise<Response>
  /** The response to a synchronous message: `result` has its counters, whatever the form calls them. */
  // The checks read members of many shapes; what is not there fails their assertions.
  send(message: object): Promise<any> // oxlint-disable-line typescript/no-explicit-any
  /** How many devices a message to the user goes to; to those of an activation alone when one is given. */
  reach(userId: string, activationId?: string): Promise<number>
  /** A new application without credentials. */
  makeApplication(): Promise<string>
}

export const BODY = { title: 'Hello', body: 'A message of the conformance checks' }
export const ZERO = { sent: 0, pending: 0, failed: 0, total: 0 }
export const PLATFORMS = ['ios', 'android', 'huawei'] as const
export const PROVIDERS = ['apns', 'fcm', 'hms'] as const
export const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/

/** The names that responses of the form have for the platforms. */
export const FAMILIES: Readonly<Record<Form, readonly string[]>> = {
  '1.9': PLATFORMS,
  '1.10': PROVIDERS,
  all: [...PLATFORMS, ...PROVIDERS],
}

/** One item in each form, where what it says differs. */
export const inEachForm = <T>(name: string, cases: Readonly<Record<Form, T>>, check: (expected: T) => Check): Checks =>
  Object.fromEntries(
    Object.entries(cases).map(([form, expected]) => {
      if (!isForm(form)) throw new Error(`There is no form ${form}`)
      const [item = '', ...words] = name.split(' ')
      return [`${item} ${form}: ${words.join(' ')}`, { in: [form], check: check(expected) }]
    }),
  )

/** Counters by our names for the platforms. */
export function resultOf(form: Form, object: Response['body']): Record<(typeof PLATFORMS)[number], typeof ZERO> {
  const names = form === '1.10' ? PROVIDERS : PLATFORMS
  const counters = form === 'all' ? object.result : object
  return { ios: counters[names[0]], android: counters[names[1]], huawei: counters[names[2]] }
}

/** Where the form has no member for them, a header has. */
export function messageIdsOf({ form }: Pick<Target, 'form'>, { headers, body }: Response): string[] {
  if (form === 'all') return body.responseObject.messageIds
  return headers.get('x-message-ids')?.split(',') ?? []
}

/** In the form of the responses that the server gives here. */
export async function findForm(api: WatchedApi, appId: string): Promise<Form> {
  const { body } = await api.post('/push/message/send', { appId, message: { userId: randomUUID(), body: BODY } })
  const { responseObject = {} } = body
  if ('result' in responseObject) return 'all'
  return 'apns' in responseObject ? '1.10' : '1.9'
}

export function targetOf(api: WatchedApi, appId: string, form: Form): Target {
  const call: Target['call'] = (method, path, object) => api.call(method, path, json({ requestObject: object }))
  const send: Target['send'] = async (message) => {
    const { body } = await api.post('/push/message/send', { appId, message: { body: BODY, ...message } })
    return { ...body.responseObject, result: resultOf(form, body.responseObject) }
  }
  return {
    api,
    appId,
    form,
    call,
    send,
    register: (more) => api.post('/push/device/create', { appId, platform: 'ios', userId: randomUUID(), ...more }),
    async reach(userId, activationId) {
      const { result } = await send({ userId, ...(activationId !== undefined && { activationId }) })
      return PLATFORMS.reduce((sum, platform) => sum + Number(result[platform].total), 0)
    },
    async makeApplication() {
      const name = `conformance-${randomUUID()}`
      await api.post('/admin/app/create', { appId: name })
      return name
    },
  }
}

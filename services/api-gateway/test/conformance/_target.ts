// The server that is to conform, over HTTP alone: ours in this process, or the one that CONFORMANCE_URL names. It has an application
// with credentials for all three platforms, and believes registrations that name a user.
import { randomUUID } from 'node:crypto'
import type { Response } from '@push-server/testing'
import type { Test } from 'tap'
import { json } from '../_gateway.ts'
import type { WatchedApi } from '../_watched-api.ts'

/** One conformance item. */
export type Check = (t: Test, target: Target) => Promise<void>
/** By number and name. */
export type Checks = Readonly<Record<string, Check>>

export interface Target {
  api: WatchedApi
  appId: string
  /** With the request's object in the wrapper. */
  call(method: string, path: string, object: unknown): Promise<Response>
  /** A registration, on iOS by default. */
  register(more: object): Promise<Response>
  /** The response to a synchronous message. */
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
export const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/

export function targetOf(api: WatchedApi, appId: string): Target {
  const call: Target['call'] = (method, path, object) => api.call(method, path, json({ requestObject: object }))
  const send: Target['send'] = async (message) =>
    (await api.post('/push/message/send', { appId, message: { body: BODY, ...message } })).body.responseObject
  return {
    api,
    appId,
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

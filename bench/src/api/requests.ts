// The requests of a load, made before anything is measured. Pure but for idempotency keys.
import { randomUUID } from 'node:crypto'
import { appIdOf, recipientsOf, requestsIn, userIdOf, type Sending } from './audience.ts'
import type { Operation } from './cells.ts'

export interface ApiRequest {
  path: string
  headers: Record<string, string>
  body: string
}

export interface RequestOptions {
  operation: Operation
  keyed: boolean
}

export function requestOf(sending: Sending, request: number, { operation, keyed }: RequestOptions): ApiRequest {
  const { application, users } = recipientsOf(sending, request)
  const appId = appIdOf(sending.audience, application)
  const messages = users.map((user) => ({
    userId: userIdOf(user),
    body: { title: 'Balance update', body: 'Your balance is now $745.00' },
  }))
  const requestObject =
    operation === 'batch'
      ? { appId, mode: 'ASYNCHRONOUS', batch: messages }
      : { appId, mode: operation, message: messages[0] }
  return {
    path: `/push/message/${operation === 'batch' ? 'batch/send' : 'send'}`,
    headers: { 'content-type': 'application/json', ...(keyed && { 'idempotency-key': randomUUID() }) },
    body: JSON.stringify({ requestObject }),
  }
}

/** Of one of so many connections, which share the requests as autocannon shares an amount. */
export function requestsOf(
  sending: Sending,
  { connection, connections }: { connection: number; connections: number },
  options: RequestOptions,
): ApiRequest[] {
  const all = requestsIn(sending)
  const length = Math.floor(all / connections) + (connection < all % connections ? 1 : 0)
  return Array.from({ length }, (_, place) => requestOf(sending, connection + place * connections, options))
}

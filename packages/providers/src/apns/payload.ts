// Builds the push of a message for APNs: the JSON, and the headers that all its devices share. Pure; `now` is given.
import { createHash } from 'node:crypto'
import apn from '@parse/node-apn'
import { isRich, type MessageBody } from '@push-server/contract'
import { limitProblems, type PayloadProblem } from '../payload-limits.ts'
import type { PushMessage } from '../provider.ts'
import { mergedApnsProblems, mergeRawApns } from './raw-block.ts'
import { apsMembers, rootMembers } from './notification-members.ts'

// Both are documented by node-apn, and missing in its types.
declare module '@parse/node-apn' {
  interface Notification {
    headers(): Record<string, string | number>
    compile(): string
  }
}

/** The notification as APNs takes it, without path, `apns-id` and `authorization`. */
export interface ApnsPayload {
  payload: Buffer
  headers: Readonly<Record<string, string>>
}

const HOUR = 3_600_000
const LONGEST_VALIDITY = 28 * 24 * HOUR
/** The ASCII part of what RFC 9113 §8.2.1 allows in a header. */
const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/

/**
 * Builds the notification of a message. Rules of the headers:
 * https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
 */
export function apnsPayload(message: PushMessage, bundle: string, now: number): ApnsPayload {
  const { body, silent } = message
  const notification = new apn.Notification()
  notification.topic = bundle
  notification.pushType = silent ? 'background' : 'alert'
  // A background push with priority 10 is refused or throttled.
  notification.priority = message.priority === 'HIGH' && !silent ? 10 : 5
  notification.expiry = expiration(message.validUntil, now)
  if (body.collapseKey) notification.collapseId = collapseId(body.collapseKey)
  const aps = apsOf(body, silent)
  const rich = isRich(body)
  if (rich) Object.assign(aps, apsMembers(body, aps.alert, silent))
  notification.aps = aps
  const own = Object.entries(notification.headers()).map(([name, value]) => [name, String(value)])
  const { headers, payload } = mergeRawApns(body, {
    headers: Object.fromEntries(own),
    payload: { ...extrasOf(body), ...(rich && rootMembers(body, silent)), aps },
  })
  // As raw payload: node-apn leaves out an empty `aps`, which APNs requires.
  notification.rawPayload = payload
  return { payload: Buffer.from(notification.compile()), headers }
}

/** Problems for which APNs would refuse the message whatever the device; empty when there is none. */
export function checkApnsPayload(message: PushMessage): PayloadProblem[] {
  const { payload } = apnsPayload(message, '', 0)
  const problems = limitProblems('ios', payload, message.body.collapseKey)
  if (Object.hasOwn(message.body.extras ?? {}, 'aps'))
    problems.push({ field: 'body.extras', hint: 'extras for ios must not have a member named "aps"' })
  if (message.body.apns)
    problems.push(...mergedApnsProblems(message.body, JSON.parse(payload.toString()), message.silent))
  return problems
}

type Aps = apn.Notification['aps']

function apsOf(body: MessageBody, silent: boolean): Aps {
  const aps: Aps = {}
  if (silent) aps['content-available'] = 1
  else Object.assign(aps, visible(body))
  if (typeof body.badge === 'number') aps.badge = body.badge
  if (body.collapseKey) aps['thread-id'] = body.collapseKey
  return aps
}

/** The part of `aps` that a silent message does not have. Members without a value are undefined: JSON leaves them out. */
function visible(body: MessageBody): Aps {
  const alert = {
    title: body.title ?? undefined,
    'title-loc-key': body.titleLocKey ?? undefined,
    'title-loc-args': locArgs(body.titleLocKey, body.titleLocArgs),
    body: body.body ?? undefined,
    'loc-key': body.bodyLocKey ?? undefined,
    'loc-args': locArgs(body.bodyLocKey, body.bodyLocArgs),
  }
  const hasAlert = Object.values(alert).some((value) => value !== undefined)
  return { ...(hasAlert && { alert }), sound: body.sound ?? undefined, category: body.category ?? undefined }
}

const locArgs = (key: string | null | undefined, args: string[] | null | undefined) =>
  key && args?.length ? args : undefined

const extrasOf = (body: MessageBody) =>
  Object.fromEntries(Object.entries(body.extras ?? {}).filter(([, value]) => value !== null))

/** In seconds since the epoch; 0: APNs attempts the delivery once and keeps nothing for an unreachable phone. */
function expiration(validUntil: number | undefined, now: number): number {
  const latest = now + LONGEST_VALIDITY
  // By the hour, so that messages have their headers in common.
  if (validUntil === undefined) return (latest - (latest % HOUR)) / 1_000
  return validUntil <= now ? 0 : Math.floor(Math.min(validUntil, latest) / 1_000)
}

/** The key itself, or its hash (64 bytes, as long as APNs allows) when a header cannot carry it: both replace alike. */
const collapseId = (key: string) => (HEADER_VALUE.test(key) ? key : createHash('sha256').update(key).digest('hex'))

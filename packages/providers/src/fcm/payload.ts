// Builds the push of a message for FCM: one JSON document, built once but for the device's token. Pure.
import { isInstallationId, isRich, type MessageBody } from '@push-server/contract'
import { handedOverProblems, limitProblems, NOTIFICATION_KEY, type PayloadProblem } from '../payload-limits.ts'
import type { PushMessage, PushTarget } from '../provider.ts'
import { androidMembers, notificationMembers } from './notification-members.ts'
import { countedBytes, mergeRawFcm, RESERVED } from './raw-block.ts'
import type { WireMessage, WireNotification } from './wire.ts'

export interface FcmPayloadOptions {
  /** ms since the epoch. */
  now: number
  /** Sends the notification as JSON text among the data, for mobile applications that show it themselves. */
  dataOnly: boolean
}

type JsonObject = Readonly<Record<string, unknown>>

const LONGEST_VALIDITY = 28 * 86_400_000
const REGISTRATION = Buffer.from('"token":')
const INSTALLATION = Buffer.from('"fid":')
const END = Buffer.from('}}')

/**
 * The document of a message up to its target; fcmBody completes it. The target comes last, since the last of two members of one name
 * counts: nothing in the message can replace it.
 * https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send
 */
export function fcmPayload(message: PushMessage, options: FcmPayloadOptions): Buffer {
  // `{"data":…,"android":…}` is never empty.
  return Buffer.from(`{"message":${JSON.stringify(sections(message, options)).slice(0, -1)},`)
}

/** The same document as one that FCM checks and does not deliver. */
export const onlyValidated = (payload: Buffer) =>
  Buffer.concat([Buffer.from('{"validate_only":true,'), payload.subarray(1)])

/** A text that needs no escapes in JSON. */
const PLAIN = /^[\w:.-]*$/

/** A device as FCM is given it. */
export type FcmTarget = Pick<PushTarget, 'token' | 'tokenKind'>

/**
 * Whether the token is sent as an installation id. One that has not its format is sent as a registration token: a process of a former
 * version that registers another token leaves the kind as it was.
 */
export const isInstallation = ({ token, tokenKind }: FcmTarget): boolean =>
  tokenKind === 'fid' && isInstallationId(token)

/** A copy of the part that all devices share, with the target inserted. */
export function fcmBody(payload: Buffer, target: FcmTarget): Buffer {
  const { token } = target
  const name = target.tokenKind !== undefined && isInstallation(target) ? INSTALLATION : REGISTRATION
  const text = PLAIN.test(token) ? `"${token}"` : JSON.stringify(token)
  const length = Buffer.byteLength(text)
  const textAt = payload.length + name.length
  const body = Buffer.allocUnsafe(textAt + length + END.length)
  payload.copy(body)
  name.copy(body, payload.length)
  body.write(text, textAt)
  END.copy(body, textAt + length)
  return body
}

function sections(message: PushMessage, options: FcmPayloadOptions): WireMessage {
  const { body, priority, silent, validUntil } = message
  const rich = isRich(body)
  const dataOnly = isDataOnly(body, options)
  const notification = notificationOf(message)
  if (rich) Object.assign(notification, notificationMembers(body))
  const data = {
    ...dataOf(body),
    ...(body.link && { link: body.link }),
    ...(dataOnly && { [NOTIFICATION_KEY]: JSON.stringify(notification) }),
  }
  return mergeRawFcm<WireMessage>(body, {
    data: Object.keys(data).length > 0 ? data : undefined,
    android: {
      collapse_key: body.collapseKey || undefined,
      priority,
      ttl: validUntil === undefined ? undefined : ttl(validUntil, options.now),
      notification: silent || dataOnly ? undefined : notification,
      ...(rich && androidMembers(body)),
    },
  })
}

/** The message's own word goes before the server's. */
const isDataOnly = (body: MessageBody, { dataOnly }: Pick<FcmPayloadOptions, 'dataOnly'>) => body.dataOnly ?? dataOnly

const notificationOf = ({ body, priority }: PushMessage): WireNotification => ({
  title: body.title ?? undefined,
  body: body.body ?? undefined,
  icon: body.icon ?? undefined,
  sound: body.sound ?? undefined,
  tag: body.category ?? undefined,
  body_loc_key: body.bodyLocKey ?? undefined,
  body_loc_args: locArgs(body.bodyLocKey, body.bodyLocArgs),
  title_loc_key: body.titleLocKey ?? undefined,
  title_loc_args: locArgs(body.titleLocKey, body.titleLocArgs),
  notification_priority: priority === 'HIGH' ? 'PRIORITY_HIGH' : 'PRIORITY_DEFAULT',
  notification_count: body.badge ?? undefined,
})

const locArgs = (key: string | null | undefined, args: string[] | null | undefined) =>
  key && args?.length ? args : undefined

/** FCM takes texts only: any other value is sent as its JSON. */
const dataOf = (body: MessageBody): Record<string, string> =>
  Object.fromEntries(
    Object.entries(body.extras ?? {})
      .filter(([, value]) => value !== null)
      .map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]),
  )

/** A protobuf Duration in whole seconds; 0: FCM keeps nothing for an unreachable phone. */
function ttl(validUntil: number, now: number): `${number}s` {
  const left = Math.min(Math.max(validUntil - now, 0), LONGEST_VALIDITY)
  return `${Math.floor(left / 1_000)}s`
}

/** Size of the message as FCM counts it. */
export const fcmBytes = (message: PushMessage, options: Pick<FcmPayloadOptions, 'dataOnly'>): number =>
  countedOf(sections(message, { now: 0, ...options }), message.body)

/** Problems for which FCM would refuse the message whatever the device; empty when there is none. */
export function checkFcmPayload(message: PushMessage, options: Pick<FcmPayloadOptions, 'dataOnly'>): PayloadProblem[] {
  const reserved = Object.keys(message.body.extras ?? {}).filter((key) => RESERVED.test(key))
  return [
    ...limitProblems('android', fcmBytes(message, options), message.body.collapseKey),
    ...(isDataOnly(message.body, options) ? handedOverProblems('android', message.body.extras) : []),
    ...reserved.map((key) => ({
      field: 'body.extras',
      hint: `extras for android must not have a member named "${key}": FCM reserves it`,
    })),
  ]
}

/** What FCM counts of a message, in bytes. Whether it counts options was not found: so they count, as does all that only a raw block sets. */
function countedOf({ data, android, ...others }: WireMessage, { fcm }: MessageBody): number {
  if (fcm) return countedBytes([data, android?.data, android?.notification, android?.fcm_options, others])
  return Buffer.byteLength(
    textOf({ ...data }) + textOf({ ...android.notification }) + textOf({ ...android.fcm_options }),
  )
}

/** The texts that FCM counts: keys and values, not the JSON around them. */
const textOf = (object: JsonObject): string =>
  Object.entries(object)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => key + [value].flat().join(''))
    .join('')

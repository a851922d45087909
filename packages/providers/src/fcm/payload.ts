// From a message to what FCM is sent for each of its devices: one JSON document, built once but for the token. Pure.
import type { MessageBody } from '@push-server/contract'
import { limitProblems, type PayloadProblem } from '../payload-limits.ts'
import type { PushMessage } from '../provider.ts'
import type { WireMessage, WireNotification } from './wire.ts'

export interface FcmPayloadOptions {
  /** ms since the epoch. */
  now: number
  /** Leaves showing the notification to the mobile application: it gets it as JSON text among the data. */
  dataOnly: boolean
}

type JsonObject = Readonly<Record<string, unknown>>

const LONGEST_VALIDITY = 28 * 86_400_000
/** Where an application that shows its notifications itself looks for them. */
const NOTIFICATION_KEY = '_notification'
const HEAD = Buffer.from('{"message":{"token":')

/**
 * The document of a message from behind the token on, to be completed by fcmBody.
 * https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages
 */
export function fcmPayload(message: PushMessage, options: FcmPayloadOptions): Buffer {
  // `{"data":…,"android":…}` goes on where the token ends: its brace becomes a comma, one more closes the document.
  const rest = JSON.stringify(sections(message, options)).slice(1)
  return Buffer.from(`,${rest}}`)
}

/** What JSON takes as it is. */
const PLAIN = /^[\w:.-]*$/

/** One copy of what all devices have in common, with the token in its middle. */
export function fcmBody(payload: Buffer, token: string): Buffer {
  const text = PLAIN.test(token) ? `"${token}"` : JSON.stringify(token)
  const length = Buffer.byteLength(text)
  const body = Buffer.allocUnsafe(HEAD.length + length + payload.length)
  HEAD.copy(body)
  body.write(text, HEAD.length)
  payload.copy(body, HEAD.length + length)
  return body
}

function sections(message: PushMessage, { now, dataOnly }: FcmPayloadOptions): WireMessage {
  const { body, priority, silent, validUntil } = message
  const notification = notificationOf(message)
  const data = { ...dataOf(body), ...(dataOnly && { [NOTIFICATION_KEY]: JSON.stringify(notification) }) }
  return {
    data: Object.keys(data).length > 0 ? data : undefined,
    android: {
      collapse_key: body.collapseKey || undefined,
      priority,
      ttl: validUntil === undefined ? undefined : ttl(validUntil, now),
      notification: silent || dataOnly ? undefined : notification,
    },
  }
}

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

/** FCM takes texts only: anything else travels as its JSON. */
const dataOf = (body: MessageBody): Record<string, string> =>
  Object.fromEntries(
    Object.entries(body.extras ?? {})
      .filter(([, value]) => value !== null)
      .map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]),
  )

/** A protobuf Duration in whole seconds; 0: now or never, nothing is kept for a phone that is away. */
function ttl(validUntil: number, now: number): `${number}s` {
  const left = Math.min(Math.max(validUntil - now, 0), LONGEST_VALIDITY)
  return `${Math.floor(left / 1_000)}s`
}

/** https://firebase.google.com/docs/cloud-messaging/customize-messages/set-message-type */
const RESERVED = /^(?:from|message_type|gcm|gcm\..*|google\..*)$/s

/** What would make FCM refuse the message whatever the device; empty when nothing does. */
export function checkFcmPayload(
  message: PushMessage,
  { dataOnly }: Pick<FcmPayloadOptions, 'dataOnly'>,
): PayloadProblem[] {
  const { data, android } = sections(message, { now: 0, dataOnly })
  const counted = textOf({ ...data }) + textOf({ ...android.notification })
  const reserved = Object.keys(message.body.extras ?? {}).filter((key) => RESERVED.test(key))
  return [
    ...limitProblems('android', counted, message.body.collapseKey),
    ...reserved.map((key) => ({
      field: 'body.extras',
      hint: `extras for android must not have a member named "${key}": FCM reserves it`,
    })),
  ]
}

/** Everything that FCM counts: keys and values, not the JSON around them. */
const textOf = (object: JsonObject): string =>
  Object.entries(object)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => key + [value].flat().join(''))
    .join('')

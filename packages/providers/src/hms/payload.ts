// Builds the request of a message for HMS, without its tokens. Pure; `now` is given.
import { isRich, type MessageBody } from '@push-server/contract'
import { handedOverProblems, limitProblems, NOTIFICATION_KEY, type PayloadProblem } from '../payload-limits.ts'
import type { PushMessage } from '../provider.ts'
import { mergeRawHms } from './raw-block.ts'
import { androidMembers, notificationMembers } from './notification-members.ts'

/** The JSON of a request before and after the list of its tokens. */
export interface HmsPayload {
  head: string
  tail: string
  /** Header `push-type`, of version 3. */
  pushType?: string
}

export interface HmsPayloadOptions {
  /** Sends the notification as data, for mobile applications that show it themselves. */
  dataOnly: boolean
  /** The application as its administrators call it: the title of a notification without one. */
  appId: string
  /** ms since the epoch. */
  now: number
}

/** The body of a request. */
export const withTokens = ({ head, tail }: HmsPayload, tokens: readonly string[]): string =>
  head + JSON.stringify(tokens).slice(1, -1) + tail

/**
 * Members without a value are left out, which leaves them to Huawei's defaults.
 * https://developer.huawei.com/consumer/en/doc/HMSCore-References/https-send-api-0000001050986197
 */
export function hmsPayload(message: PushMessage, options: HmsPayloadOptions): HmsPayload {
  const { body, silent, priority } = message
  const { appId, now } = options
  const rich = isRich(body)
  const dataOnly = isDataOnly(body, options)
  const notification = silent ? undefined : notificationOf(message)
  if (rich && notification) Object.assign(notification, notificationMembers(body))
  const shown = dataOnly ? undefined : notification
  const json = JSON.stringify(
    mergeRawHms(body, {
      data: dataOf(body, { handedOver: dataOnly ? notification : undefined, isAlone: shown === undefined }),
      android: {
        collapse_key: hmsCollapseKey(body.collapseKey),
        // How soon the phone is woken; `importance` is how loudly it shows the notification.
        urgency: priority,
        ttl: `${ttlSeconds(message.validUntil, now)}s`,
        notification: shown && { ...shown, ...requiredTexts(body, appId) },
        ...(rich && androidMembers(body)),
      },
    }),
  )
  return { head: `{"message":${json.slice(0, -1)},"token":[`, tail: ']}}' }
}

/** The message's own word goes before the server's. */
const isDataOnly = (body: MessageBody, { dataOnly }: Pick<HmsPayloadOptions, 'dataOnly'>) => body.dataOnly ?? dataOnly

/** The same request as one that HMS checks and does not deliver. */
export const onlyValidated = ({ head, tail }: HmsPayload): HmsPayload => ({
  head,
  tail: `${tail.slice(0, -1)},"validate_only":true}`,
})

/** Size of the request without the list of its tokens, which HMS does not count. */
export function hmsBytes(message: PushMessage, options: HmsPayloadOptions): number {
  const { head, tail } = hmsPayload(message, options)
  return Buffer.byteLength(head.slice(0, -1) + tail.slice(1))
}

/** Problems for which HMS would refuse the message whatever the device; empty when there is none. */
export function checkHmsPayload(message: PushMessage, options: HmsPayloadOptions): PayloadProblem[] {
  return [
    ...limitProblems('huawei', hmsBytes(message, options), message.body.collapseKey),
    ...(isDataOnly(message.body, options) ? handedOverProblems('huawei', message.body.extras) : []),
  ]
}

const INTEGER = /^(-1|\d+)$/

/** HMS knows the groups 0 to 100, and -1 for none; undefined for any other text, which it would refuse. */
export function hmsCollapseKey(text: string | null | undefined): number | undefined {
  const key = INTEGER.test(text ?? '') ? Number(text) : NaN
  return key <= 100 ? key : undefined
}

/** 15 days: https://developer.huawei.com/consumer/en/doc/harmonyos-references-V13/push-scenariozed-api-request-param-V13 */
const LONGEST_TTL = 15 * 86_400
/** Not 0: a message that expires as it arrives is refused (80100004). */
const SHORTEST_TTL = 1

/** How long HMS may keep a message for an unreachable phone. */
export function ttlSeconds(validUntil: number | undefined, now: number): number {
  if (validUntil === undefined) return LONGEST_TTL
  return Math.min(Math.max(Math.floor((validUntil - now) / 1_000), SHORTEST_TTL), LONGEST_TTL)
}

const OPEN_APPLICATION = 3
const LARGEST_BADGE = 99

function notificationOf({ body, priority }: PushMessage) {
  return {
    title: body.title ?? undefined,
    body: body.body ?? undefined,
    icon: body.icon ?? undefined,
    sound: body.sound ?? undefined,
    tag: body.category ?? undefined,
    click_action: { type: OPEN_APPLICATION },
    body_loc_key: body.bodyLocKey ?? undefined,
    body_loc_args: locArgs(body.bodyLocKey, body.bodyLocArgs),
    title_loc_key: body.titleLocKey ?? undefined,
    title_loc_args: locArgs(body.titleLocKey, body.titleLocArgs),
    badge: typeof body.badge === 'number' ? { set_num: hmsBadge(body.badge) } : undefined,
    importance: priority,
    foreground_show: true,
  }
}

/**
 * HMS refuses a notification that lacks its title or its body: the application's name stands for the title, the title for the body.
 * An empty text counts as none.
 */
function requiredTexts(body: MessageBody, appId: string) {
  const given = {
    title: body.title || undefined,
    title_loc_key: body.titleLocKey || undefined,
    title_loc_args: locArgs(body.titleLocKey, body.titleLocArgs),
  }
  const title = given.title || given.title_loc_key ? given : { ...given, title: appId }
  const hasBody = Boolean(body.body || body.bodyLocKey)
  return {
    ...title,
    body: hasBody ? body.body || undefined : title.title,
    body_loc_key: hasBody ? body.bodyLocKey || undefined : title.title_loc_key,
    body_loc_args: hasBody ? locArgs(body.bodyLocKey, body.bodyLocArgs) : title.title_loc_args,
  }
}

const locArgs = (key: string | null | undefined, args: string[] | null | undefined) =>
  key && args?.length ? args : undefined

/** HMS would refuse a message with a number beyond this range. */
export const hmsBadge = (count: number) => Math.min(Math.max(count, 0), LARGEST_BADGE)

interface DataOptions {
  /** The notification that the mobile application shows itself. */
  handedOver: object | undefined
  /** Whether the message has no notification: HMS requires data or a notification. */
  isAlone: boolean
}

function dataOf({ extras }: MessageBody, { handedOver, isAlone }: DataOptions): string | undefined {
  // As text, as through FCM.
  const data = { ...extras, ...(handedOver && { [NOTIFICATION_KEY]: JSON.stringify(handedOver) }) }
  return isAlone || Object.keys(data).length > 0 ? JSON.stringify(data) : undefined
}

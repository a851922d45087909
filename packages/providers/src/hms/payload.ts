// Builds the request of a message for HMS, without its tokens. Pure; `now` is given.
import type { MessageBody } from '@push-server/contract'
import { limitProblems, type PayloadProblem } from '../payload-limits.ts'
import type { PushMessage } from '../provider.ts'

/** The JSON of a request before and after the list of its tokens. */
export interface HmsPayload {
  head: string
  tail: string
}

export interface HmsPayloadOptions {
  /** Sends the notification as data, for mobile applications that show it themselves. */
  dataOnly: boolean
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
export function hmsPayload(message: PushMessage, { dataOnly, now }: HmsPayloadOptions): HmsPayload {
  const { body, silent, priority } = message
  const notification = silent ? undefined : notificationOf(message)
  const shown = dataOnly ? undefined : notification
  const json = JSON.stringify({
    data: dataOf(body, { handedOver: dataOnly ? notification : undefined, isAlone: shown === undefined }),
    android: {
      collapse_key: hmsCollapseKey(body.collapseKey),
      // How soon the phone is woken; `importance` is how loudly it shows the notification.
      urgency: priority,
      ttl: `${ttlSeconds(message.validUntil, now)}s`,
      notification: shown,
    },
  })
  return { head: `{"message":${json.slice(0, -1)},"token":[`, tail: ']}}' }
}

/** Problems for which HMS would refuse the message whatever the device; empty when there is none. */
export function checkHmsPayload(
  message: PushMessage,
  { dataOnly }: Pick<HmsPayloadOptions, 'dataOnly'>,
): PayloadProblem[] {
  const payload = hmsPayload(message, { dataOnly, now: 0 })
  return limitProblems('huawei', withTokens(payload, []), message.body.collapseKey)
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

function ttlSeconds(validUntil: number | undefined, now: number): number {
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
    badge: typeof body.badge === 'number' ? { set_num: badge(body.badge) } : undefined,
    importance: priority,
    foreground_show: true,
  }
}

const locArgs = (key: string | null | undefined, args: string[] | null | undefined) =>
  key && args?.length ? args : undefined

/** HMS would refuse a message with a number beyond this range. */
const badge = (count: number) => Math.min(Math.max(count, 0), LARGEST_BADGE)

interface DataOptions {
  /** The notification that the mobile application shows itself. */
  handedOver: object | undefined
  /** Whether the message has no notification: HMS requires data or a notification. */
  isAlone: boolean
}

function dataOf({ extras }: MessageBody, { handedOver, isAlone }: DataOptions): string | undefined {
  // As text, as through FCM.
  const data = { ...extras, ...(handedOver && { _notification: JSON.stringify(handedOver) }) }
  return isAlone || Object.keys(data).length > 0 ? JSON.stringify(data) : undefined
}

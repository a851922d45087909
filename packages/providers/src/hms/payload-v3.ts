// Builds the request of a message for version 3 of HMS, which reaches HarmonyOS 5 and later, without its tokens. Pure; `now` is given.
// https://developer.huawei.com/consumer/cn/doc/harmonyos-references/push-scenariozed-api-request-param
import { isRich, type MessageBody } from '@push-server/contract'
import { handedOverProblems, limitProblems, NOTIFICATION_KEY, type PayloadProblem } from '../payload-limits.ts'
import type { PushMessage } from '../provider.ts'
import { isObject } from '../raw-blocks/merge-patch.ts'
import { mergeRawHmsV3, notificationMembersV3, pushOptionsV3 } from './members-v3.ts'
import { hmsBadge, hmsCollapseKey, ttlSeconds, type HmsPayload, type HmsPayloadOptions } from './payload.ts'

export interface HmsPayloadV3Options extends HmsPayloadOptions {
  /** Class of the message: Huawei limits how many of each a phone shows. */
  category: string
  /** HMS treats the push as a test, of which it takes few. */
  isTest?: boolean
}

/** The request, or why phones would show nothing of the message. */
export type HmsPayloadV3 = HmsPayload | typeof NO_TEXT

/** Its texts come by their keys alone, of which version 3 has none. */
export const NO_TEXT = 'NoText'

const ALERT = '0'
/** Handed to the mobile application while it runs, otherwise kept until somebody opens it. */
const BACKGROUND = '6'
const OPEN_APPLICATION = 0

export function hmsPayloadV3(message: PushMessage, options: HmsPayloadV3Options): HmsPayloadV3 {
  const { body, silent } = message
  if (!silent && lacksText(body)) return NO_TEXT
  const isAlert = !silent && !isDataOnly(body, options)
  const document = mergeRawHmsV3(body, {
    payload: isAlert
      ? { notification: notificationOf(message, options) }
      : { extraData: JSON.stringify(extraDataOf(message, options)) },
    pushOptions: {
      ttl: ttlSeconds(message.validUntil, options.now),
      // For alerts alone.
      collapseKey: isAlert ? hmsCollapseKey(body.collapseKey) : undefined,
      testMessage: options.isTest,
      ...pushOptionsV3(body),
    },
  })
  const head = `${JSON.stringify(document).slice(0, -1)},"target":{"token":[`
  return { head, tail: ']}}', pushType: isAlert ? ALERT : BACKGROUND }
}

/** The message's own word goes before the server's. */
export const isDataOnly = (body: MessageBody, { dataOnly }: Pick<HmsPayloadOptions, 'dataOnly'>) =>
  body.dataOnly ?? dataOnly

/** Whether a message that shows something has keys of texts and no text. */
export const lacksText = (body: MessageBody): boolean =>
  !body.title && !body.body && Boolean(body.titleLocKey || body.bodyLocKey) && !hasRawText(body)

function hasRawText({ hms }: MessageBody): boolean {
  const { payload } = isObject(hms?.['v3']) ? hms['v3'] : {}
  const { notification } = isObject(payload) ? payload : {}
  return isObject(notification) && Boolean(notification['title'] || notification['body'])
}

/** Size of the request without the list of its tokens, which HMS does not count; 0 where phones would show nothing. */
export function hmsBytesV3(message: PushMessage, options: HmsPayloadV3Options): number {
  const payload = hmsPayloadV3({ id: LONGEST_ID, ...message }, options)
  return payload === NO_TEXT ? 0 : Buffer.byteLength(payload.head.slice(0, -1) + payload.tail.slice(1))
}

/** Problems for which HMS would refuse the message whatever the device; empty when there is none. */
export const checkHmsPayloadV3 = (message: PushMessage, options: HmsPayloadV3Options): PayloadProblem[] => [
  ...limitProblems('huawei', hmsBytesV3(message, options), message.body.collapseKey),
  ...(isDataOnly(message.body, options) ? handedOverProblems('huawei', message.body.extras) : []),
]

/** As long as the id of a stored message. */
const LONGEST_ID = '0'.repeat(36)

/** A sound of iOS that names no file. */
export const USUAL_SOUND = 'default'

/** As in version 2, the application's name stands for a missing title, and the title for a missing body. */
function notificationOf({ id, body }: PushMessage, { appId, category }: HmsPayloadV3Options) {
  const title = body.title || appId
  const data = given(body.extras)
  const clickAction = { actionType: OPEN_APPLICATION, data: Object.keys(data).length > 0 ? data : undefined }
  return {
    category,
    title,
    body: body.body || title,
    clickAction,
    badge: typeof body.badge === 'number' ? { setNum: hmsBadge(body.badge) } : undefined,
    sound: body.sound && body.sound !== USUAL_SOUND ? body.sound : undefined,
    // A phone shows a message of one id once within a day, so that an attempt whose fate is unknown can be repeated.
    appMessageId: id,
    foregroundShow: true,
    ...(isRich(body) && notificationMembersV3(body, { clickAction })),
  }
}

function extraDataOf(message: PushMessage, options: HmsPayloadV3Options) {
  const data = given(message.body.extras)
  if (message.silent || !isDataOnly(message.body, options)) return data
  // As text, as through FCM.
  return { ...data, [NOTIFICATION_KEY]: JSON.stringify(notificationOf(message, options)) }
}

const given = (extras: MessageBody['extras']) =>
  Object.fromEntries(Object.entries(extras ?? {}).filter(([, value]) => value !== null))

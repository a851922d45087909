// What HMS v3 (HarmonyOS 5 and later) makes of the members of a body that are not for every platform, and of its raw block: to be laid
// over the request that a body's classic members make. Pure.
// https://developer.huawei.com/consumer/cn/doc/harmonyos-references/push-scenariozed-api-request-param
import { createHash } from 'node:crypto'
import type { MessageBody } from '@push-server/contract'
import type { Places } from '../ignored-members.ts'
import { isObject, mergePatch, onlyOf } from '../raw-blocks/merge-patch.ts'

type Json = Record<string, unknown>

/** Where they stand: nowhere, and in the notification. */
export const PLACES_V3: Places = {
  none: [
    'subtitle',
    'subtitleLocKey',
    'subtitleLocArgs',
    'threadId',
    'channelId',
    'interruptionLevel',
    'criticalSound',
    'relevanceScore',
    'targetContentId',
    'filterCriteria',
    'mutableContent',
    'displayPriority',
    'visibility',
    'color',
    'ticker',
    'sticky',
    'localOnly',
    'eventTime',
    'vibrate',
    'directBootOk',
    'bandwidthConstrainedOk',
    'restrictedSatelliteOk',
    'apns',
    'fcm',
  ],
  notification: ['image', 'link', 'clickAction', 'tag', 'notifyId', 'hmsCategory', 'foregroundShow', 'dataOnly'],
}

/** Members that others replace, and a raw block that is for version 2 alone. */
export const replacedOnHmsV3 = ({ link, notifyId, hms }: MessageBody) => [
  ...(link ? (['clickAction'] as const) : []),
  ...(typeof notifyId === 'number' ? (['tag'] as const) : []),
  ...(isObject(hms?.['v3']) ? [] : (['hms'] as const)),
]

const OPEN_PAGE = 1

/** Over `payload.notification` of an alert; its `clickAction` keeps the data that it has. */
export function notificationMembersV3(body: MessageBody, { clickAction }: { clickAction: Json }): Json {
  const { image, link, clickAction: action, notifyId, tag, hmsCategory, foregroundShow } = body
  const page = link ? { uri: link } : action ? { action } : undefined
  return {
    ...(hmsCategory && { category: hmsCategory }),
    ...(image && { image }),
    ...(page && { clickAction: { ...clickAction, actionType: OPEN_PAGE, ...page } }),
    notifyId: notifyId ?? (tag ? numberOf(tag) : undefined),
    foregroundShow: foregroundShow ?? true,
  }
}

/** Over `pushOptions`. */
export const pushOptionsV3 = ({ analyticsLabel }: MessageBody): Json => ({
  ...(analyticsLabel && { biTag: analyticsLabel }),
})

/** Version 3 replaces by numbers alone: 31 bits of the hash of a tag. */
const numberOf = (tag: string) => createHash('sha256').update(tag).digest().readUInt32BE() & 0x7fff_ffff

/** Payload and options with the block merged over them. Nothing else is left of them, so no target, whoever let one pass. */
export function mergeRawHmsV3<T extends object>({ hms }: MessageBody, document: T): T {
  const block = hms?.['v3']
  return isObject(block) ? (onlyOf(['payload', 'pushOptions'], mergePatch(document, block)) as T) : document
}

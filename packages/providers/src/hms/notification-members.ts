// What HMS (v2) makes of the members of a body that are not for every platform. Pure.
// https://developer.huawei.com/consumer/en/doc/HMSCore-References/https-send-api-0000001050986197
import { instantOf, type MessageBody } from '@push-server/contract'
import type { Places } from '../ignored-members.ts'

type Json = Record<string, unknown>

/** Where they stand: nowhere, and in the notification. */
export const PLACES: Places = {
  none: [
    'subtitle',
    'subtitleLocKey',
    'subtitleLocArgs',
    'criticalSound',
    'relevanceScore',
    'targetContentId',
    'filterCriteria',
    'mutableContent',
    'sticky',
    'directBootOk',
    'bandwidthConstrainedOk',
    'restrictedSatelliteOk',
    'apns',
    'fcm',
  ],
  notification: [
    'image',
    'link',
    'clickAction',
    'threadId',
    'tag',
    'notifyId',
    'channelId',
    'interruptionLevel',
    'displayPriority',
    'visibility',
    'color',
    'ticker',
    'localOnly',
    'eventTime',
    'vibrate',
    'foregroundShow',
    'dataOnly',
  ],
}

/** Members that others replace. */
export const replacedOnHms = ({ tag, link, displayPriority }: MessageBody) => [
  ...(tag ? (['category'] as const) : []),
  ...(link ? (['clickAction'] as const) : []),
  ...(displayPriority ? (['interruptionLevel'] as const) : []),
]

const IMPORTANCES = { min: 'LOW', low: 'LOW', default: 'NORMAL', high: 'HIGH', max: 'HIGH' } as const
const LEVELS = { passive: 'low', active: 'default', 'time-sensitive': 'high', critical: 'high' } as const

const OPEN_INTENT = 1
const OPEN_URL = 2

/** To be laid over the notification of a body's classic members. */
export function notificationMembers(body: MessageBody): Json {
  const priority = body.displayPriority ?? (body.interruptionLevel && LEVELS[body.interruptionLevel])
  return {
    image: body.image || undefined,
    ...clickOf(body),
    group: body.threadId || undefined,
    ...(body.tag && { tag: body.tag }),
    notify_id: body.notifyId ?? undefined,
    channel_id: body.channelId || undefined,
    ...(priority && { importance: IMPORTANCES[priority] }),
    visibility: body.visibility?.toUpperCase(),
    color: body.color || undefined,
    ticker: body.ticker || undefined,
    local_only: body.localOnly ?? undefined,
    when: timeOf(body.eventTime),
    // In seconds.
    vibrate_config: body.vibrate?.length ? body.vibrate.map((ms) => String(ms / 1_000)) : undefined,
    foreground_show: body.foregroundShow ?? true,
  }
}

/** Beside the notification: silent messages have them as well. */
export const androidMembers = (body: MessageBody): Json => ({
  category: body.hmsCategory || undefined,
  bi_tag: body.analyticsLabel || undefined,
})

function clickOf({ link, clickAction }: MessageBody): Json {
  if (link)
    return {
      click_action: link.startsWith('https:') ? { type: OPEN_URL, url: link } : { type: OPEN_INTENT, intent: link },
    }
  return clickAction ? { click_action: { type: OPEN_INTENT, action: clickAction } } : {}
}

/** In UTC. One that is no time was refused when the message was accepted. */
function timeOf(time: MessageBody['eventTime']): string | undefined {
  const instant = time === null || time === undefined || time === '' ? undefined : instantOf(time)
  return instant === undefined ? undefined : new Date(instant).toISOString()
}

// What FCM makes of the members of a body that are not for every platform. Pure.
// https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages
import { instantOf, type MessageBody } from '@push-server/contract'
import type { Places } from '../ignored-members.ts'
import type { WireAndroid, WireNotification } from './wire.ts'

/** Where they stand: nowhere, and in the notification. */
export const PLACES: Places = {
  none: [
    'subtitle',
    'subtitleLocKey',
    'subtitleLocArgs',
    'threadId',
    'notifyId',
    'hmsCategory',
    'criticalSound',
    'relevanceScore',
    'targetContentId',
    'filterCriteria',
    'mutableContent',
    'foregroundShow',
    'apns',
    'hms',
  ],
  notification: [
    'image',
    'clickAction',
    'tag',
    'channelId',
    'interruptionLevel',
    'displayPriority',
    'visibility',
    'color',
    'ticker',
    'sticky',
    'localOnly',
    'eventTime',
    'vibrate',
  ],
}

/** Members that others replace. */
export const replacedOnFcm = ({ tag, displayPriority }: MessageBody) => [
  ...(tag ? (['category'] as const) : []),
  ...(displayPriority ? (['interruptionLevel'] as const) : []),
]

const PRIORITIES = { passive: 'low', active: 'default', 'time-sensitive': 'high', critical: 'max' } as const

const upper = <W extends string>(word: W) => word.toUpperCase() as Uppercase<W>

/** To be laid over the notification of a body's classic members. */
export function notificationMembers(body: MessageBody): Partial<WireNotification> {
  const priority = body.displayPriority ?? (body.interruptionLevel && PRIORITIES[body.interruptionLevel])
  return {
    image: body.image || undefined,
    click_action: body.clickAction || undefined,
    ...(body.tag && { tag: body.tag }),
    channel_id: body.channelId || undefined,
    ...(priority && { notification_priority: `PRIORITY_${upper(priority)}` as const }),
    visibility: body.visibility ? upper(body.visibility) : undefined,
    color: body.color || undefined,
    ticker: body.ticker || undefined,
    sticky: body.sticky ?? undefined,
    local_only: body.localOnly ?? undefined,
    event_time: timeOf(body.eventTime),
    vibrate_timings: body.vibrate?.length ? body.vibrate.map((ms) => `${ms / 1_000}s` as const) : undefined,
  }
}

/** Beside the notification: silent messages have them as well. */
export const androidMembers = (body: MessageBody): Partial<WireAndroid> => ({
  direct_boot_ok: body.directBootOk ?? undefined,
  bandwidth_constrained_ok: body.bandwidthConstrainedOk ?? undefined,
  restricted_satellite_ok: body.restrictedSatelliteOk ?? undefined,
  fcm_options: body.analyticsLabel ? { analytics_label: body.analyticsLabel } : undefined,
})

/** A protobuf Timestamp. One that is no time was refused when the message was accepted. */
function timeOf(time: MessageBody['eventTime']): string | undefined {
  const instant = time === null || time === undefined || time === '' ? undefined : instantOf(time)
  return instant === undefined ? undefined : new Date(instant).toISOString()
}

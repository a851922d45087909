// What APNs makes of the members of a body that are not for every platform. Pure.
// https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification
import type { MessageBody } from '@push-server/contract'
import type { Places } from '../ignored-members.ts'

type Json = Record<string, unknown>

/** Where they stand: in none of them, and in the part of `aps` that silent messages do not have. */
export const PLACES: Places = {
  none: [
    'clickAction',
    'tag',
    'notifyId',
    'channelId',
    'hmsCategory',
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
    'foregroundShow',
    'analyticsLabel',
    'dataOnly',
    'fcm',
    'hms',
  ],
  notification: [
    'subtitle',
    'subtitleLocKey',
    'subtitleLocArgs',
    'image',
    'interruptionLevel',
    'criticalSound',
    'relevanceScore',
    'targetContentId',
    'filterCriteria',
    'mutableContent',
  ],
}

/** Classic members that others replace. */
export const replacedOnApns = ({ criticalSound, subtitleLocKey }: MessageBody) => [
  ...(criticalSound ? (['sound'] as const) : []),
  ...(subtitleLocKey ? [] : (['subtitleLocArgs'] as const)),
]

/** Beside `aps`: the service extension and the application find them there. */
export const rootMembers = ({ image, link }: MessageBody, silent: boolean): Json => ({
  ...(image && !silent && { image }),
  ...(link && { link }),
})

/** To be laid over the `aps` of a body's classic members. */
export function apsMembers(body: MessageBody, alert: object | string | undefined, silent: boolean): Json {
  const thread = body.threadId ? { 'thread-id': body.threadId } : {}
  if (silent) return thread
  const shown = { ...Object(alert), ...subtitleOf(body) }
  const hasText = Object.keys(shown).length > 0
  return {
    ...thread,
    ...(hasText && { alert: shown }),
    ...soundOf(body),
    'interruption-level': body.interruptionLevel ?? (body.criticalSound ? 'critical' : undefined),
    'relevance-score': body.relevanceScore ?? undefined,
    'target-content-id': body.targetContentId || undefined,
    'filter-criteria': body.filterCriteria || undefined,
    // The extension that loads the picture runs only with this, and only where there is a text.
    'mutable-content': (body.mutableContent ?? Boolean(body.image && hasText)) ? 1 : undefined,
  }
}

function subtitleOf({ subtitle, subtitleLocKey, subtitleLocArgs }: MessageBody): Json {
  return {
    ...(subtitle && { subtitle }),
    ...(subtitleLocKey && { 'subtitle-loc-key': subtitleLocKey }),
    ...(subtitleLocKey && subtitleLocArgs?.length && { 'subtitle-loc-args': subtitleLocArgs }),
  }
}

const soundOf = ({ criticalSound }: MessageBody): Json =>
  criticalSound
    ? { sound: { critical: 1, name: criticalSound.name || 'default', volume: criticalSound.volume ?? 1 } }
    : {}

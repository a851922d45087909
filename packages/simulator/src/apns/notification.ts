// How an iPhone shows a push. Pure.
// https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification
import { isRecord, readNumber, readText } from '../json.ts'
import type { Notification } from '../phones.ts'
import type { ApnsPush } from '../push.ts'
import { textOf } from '../texts.ts'

export function toNotification({ apnsId, headers, payload, receivedAt }: ApnsPush): Notification {
  const aps = isRecord(payload['aps']) ? payload['aps'] : {}
  const { title, subtitle, body } = readAlert(aps['alert'])
  const image = readText(payload['image'])
  const link = readText(payload['link'])
  const level = readLevel(aps)
  return {
    id: apnsId,
    receivedAt,
    app: String(headers['apns-topic']),
    title,
    body,
    badge: readNumber(aps['badge']),
    sound: readSound(aps['sound']),
    silent: title === undefined && body === undefined,
    collapseKey: readHeader(headers['apns-collapse-id']),
    tag: undefined,
    channel: undefined,
    thread: readText(aps['thread-id']),
    ...(subtitle && { subtitle }),
    ...(image && { image }),
    ...(link && { link }),
    ...(level && { level }),
    priority: PRIORITIES[String(headers['apns-priority'])] ?? 'high',
    payload,
    replaces: undefined,
  }
}

const PRIORITIES: Readonly<Record<string, Notification['priority']>> = { 1: 'low', 5: 'normal', 10: 'high' }

function readAlert(alert: unknown) {
  if (typeof alert === 'string') return { title: undefined, subtitle: undefined, body: alert }
  if (!isRecord(alert)) return { title: undefined, subtitle: undefined, body: undefined }
  return {
    title: textOf(alert['title'], alert['title-loc-key'], alert['title-loc-args']),
    subtitle: textOf(alert['subtitle'], alert['subtitle-loc-key'], alert['subtitle-loc-args']),
    body: textOf(alert['body'], alert['loc-key'], alert['loc-args']),
  }
}

/** The object form of a sound makes an alert critical, whatever its level says. */
function readLevel(aps: Readonly<Record<string, unknown>>): Notification['level'] {
  const { sound } = aps
  if (isRecord(sound) && sound['critical'] === 1) return 'critical'
  return LEVELS.find((level) => level === aps['interruption-level'])
}

const LEVELS = ['passive', 'time-sensitive', 'critical'] as const

const readSound = (sound: unknown) => readText(isRecord(sound) ? sound['name'] : sound)

// Node gives header values as Latin-1; a collapse id may be UTF-8.
const readHeader = (value: string | string[] | undefined) =>
  typeof value === 'string' && value !== '' ? Buffer.from(value, 'latin1').toString() : undefined

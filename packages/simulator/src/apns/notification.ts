// What an iPhone makes of a push. Pure.
// https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification
import type { Notification } from '../phones.ts'
import type { ApnsPush } from '../push.ts'
import { isRecord } from './checks.ts'

export function toNotification({ apnsId, headers, payload, receivedAt }: ApnsPush): Notification {
  const aps = isRecord(payload['aps']) ? payload['aps'] : {}
  const { title, body } = readAlert(aps['alert'])
  return {
    id: apnsId,
    receivedAt,
    app: String(headers['apns-topic']),
    title,
    body,
    badge: typeof aps['badge'] === 'number' ? aps['badge'] : undefined,
    sound: readSound(aps['sound']),
    silent: title === undefined && body === undefined,
    collapseKey: readHeader(headers['apns-collapse-id']),
    thread: readText(aps['thread-id']),
    priority: PRIORITIES[String(headers['apns-priority'])] ?? 'high',
    payload,
    replaces: undefined,
  }
}

const PRIORITIES: Readonly<Record<string, Notification['priority']>> = { 1: 'low', 5: 'normal', 10: 'high' }

function readAlert(alert: unknown) {
  if (typeof alert === 'string') return { title: undefined, body: alert }
  if (!isRecord(alert)) return { title: undefined, body: undefined }
  return {
    title: readText(alert['title']) ?? localised(alert['title-loc-key'], alert['title-loc-args']),
    body: readText(alert['body']) ?? localised(alert['loc-key'], alert['loc-args']),
  }
}

// The texts of the application are not at hand: its key and the arguments stand in for them.
function localised(key: unknown, args: unknown): string | undefined {
  if (typeof key !== 'string') return undefined
  return Array.isArray(args) && args.length > 0 ? `${key} (${args.join(', ')})` : key
}

const readSound = (sound: unknown) => readText(isRecord(sound) ? sound['name'] : sound)
const readText = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)

// Node gives header values as Latin-1; a collapse id may be UTF-8.
const readHeader = (value: string | string[] | undefined) =>
  typeof value === 'string' && value !== '' ? Buffer.from(value, 'latin1').toString() : undefined

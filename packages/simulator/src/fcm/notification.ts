// How an Android phone shows a push through FCM. Pure.
// https://firebase.google.com/docs/cloud-messaging/concept-options
import { isRecord, readText } from '../json.ts'
import type { Notification } from '../phones.ts'
import type { FcmPush } from '../push.ts'
import { textOf } from '../texts.ts'
import { memberOf } from './members.ts'

export function toNotification({ name, projectId, payload, receivedAt }: FcmPush): Notification {
  const android = isRecord(payload['android']) ? payload['android'] : {}
  // Members of the platform go before those for all platforms.
  const shown = { ...recordOf(payload['notification']), ...recordOf(android['notification']) }
  const title = textOf(shown['title'], memberOf(shown, 'title_loc_key'), memberOf(shown, 'title_loc_args'))
  const body = textOf(shown['body'], memberOf(shown, 'body_loc_key'), memberOf(shown, 'body_loc_args'))
  const image = readText(shown['image'])
  const link = readText(recordOf(payload['data'])['link'])
  return {
    id: name,
    receivedAt,
    app: readText(memberOf(android, 'restricted_package_name')) ?? projectId,
    title,
    body,
    badge: readCount(memberOf(shown, 'notification_count')),
    sound: memberOf(shown, 'default_sound') === true ? 'default' : readText(shown['sound']),
    // Messages without a notification only wake the application up.
    silent: title === undefined && body === undefined,
    collapseKey: readText(memberOf(android, 'collapse_key')),
    tag: readText(shown['tag']),
    channel: readText(memberOf(shown, 'channel_id')),
    thread: undefined,
    ...(image && { image }),
    ...(link && { link }),
    priority: readPriority(memberOf(shown, 'notification_priority') ?? android['priority']),
    payload,
    replaces: undefined,
  }
}

const recordOf = (value: unknown) => (isRecord(value) ? value : {})

const readCount = (value: unknown) => (value === undefined ? undefined : Number(value))

function readPriority(value: unknown): Notification['priority'] {
  const [, priority] = /^(?:PRIORITY_)?(\w+)$/i.exec(String(value)) ?? []
  return PRIORITIES[priority?.toUpperCase() ?? ''] ?? 'normal'
}

const PRIORITIES: Readonly<Record<string, Notification['priority']>> = {
  MIN: 'low',
  LOW: 'low',
  HIGH: 'high',
  MAX: 'high',
}

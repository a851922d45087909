// How a Huawei phone shows a push through HMS. Pure.
// https://developer.huawei.com/consumer/en/doc/HMSCore-References/https-send-api-0000001050986197
import { isRecord, readNumber, readText } from '../json.ts'
import type { Notification } from '../phones.ts'
import type { HmsPush } from '../push.ts'
import { textOf } from '../texts.ts'

export function toNotification({ requestId, projectId, payload, receivedAt }: HmsPush): Notification {
  const android = recordOf(payload['android'])
  // Members of the platform go before those for all platforms.
  const shown = { ...recordOf(payload['notification']), ...recordOf(android['notification']) }
  const badge = recordOf(shown['badge'])
  const title = textOf(shown['title'], shown['title_loc_key'], shown['title_loc_args'])
  const body = textOf(shown['body'], shown['body_loc_key'], shown['body_loc_args'])
  const image = readText(shown['image'])
  const click = recordOf(shown['click_action'])
  const link = readText(click['url']) ?? readText(click['intent'])
  return {
    id: requestId,
    receivedAt,
    app: projectId,
    title,
    body,
    badge: readNumber(badge['set_num']) ?? readNumber(badge['add_num']),
    sound: shown['default_sound'] === true ? 'default' : readText(shown['sound']),
    // Messages without a notification only wake the application up.
    silent: title === undefined && body === undefined,
    collapseKey: readKey(android['collapse_key']),
    tag: readText(shown['tag']) ?? readKey(shown['notify_id']),
    channel: readText(shown['channel_id']),
    thread: readText(shown['group']),
    ...(image && { image }),
    ...(link && { link }),
    priority: PRIORITIES[String(shown['importance'] ?? android['urgency'])] ?? 'normal',
    payload,
    replaces: undefined,
  }
}

const PRIORITIES: Readonly<Record<string, Notification['priority']>> = { LOW: 'low', NORMAL: 'normal', HIGH: 'high' }

const recordOf = (value: unknown) => (isRecord(value) ? value : {})

const readKey = (value: unknown) => (typeof value === 'number' ? String(value) : undefined)

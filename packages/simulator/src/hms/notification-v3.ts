// How a phone of HarmonyOS 5 and later shows a push by version 3 of HMS. Pure.
// https://developer.huawei.com/consumer/cn/doc/harmonyos-references/push-scenariozed-api-request-param
import { isRecord, readNumber, readText } from '../json.ts'
import type { Notification } from '../phones.ts'
import type { HmsPush } from '../push.ts'

export function toNotificationV3({ requestId, projectId, payload, receivedAt }: HmsPush): Notification {
  const { notification } = recordOf(payload['payload'])
  const shown = recordOf(notification)
  const badge = recordOf(shown['badge'])
  const action = recordOf(shown['clickAction'])
  const image = readText(shown['image'])
  const link = readText(action['uri'])
  return {
    id: requestId,
    receivedAt,
    app: projectId,
    title: readText(shown['title']),
    body: readText(shown['body']),
    badge: readNumber(badge['setNum']) ?? readNumber(badge['addNum']),
    sound: readText(shown['sound']),
    silent: notification === undefined,
    collapseKey: keyOf(recordOf(payload['pushOptions'])['collapseKey']),
    tag: keyOf(shown['notifyId']),
    channel: readText(shown['category']),
    thread: undefined,
    priority: 'normal',
    ...(image && { image }),
    ...(link && { link }),
    payload,
    replaces: undefined,
  }
}

const recordOf = (value: unknown) => (isRecord(value) ? value : {})

/** -1 stands for none. */
const keyOf = (value: unknown) => (typeof value === 'number' && value >= 0 ? String(value) : undefined)

// How long rows are kept, by the settings. Pure.
import type { Config } from '@push-server/runtime'

/** A SYNCHRONOUS request reads its tallies at the end of its wait at the latest. Nothing is removed before that. */
const GRACE_MS = 60_000

export interface RetentionPolicy {
  /** Contents of messages and direct chunks, since they settled. */
  contents: number
  /** Messages and deliveries, since they were accepted. Pending ones stay, whatever their age. */
  messages: number
  /** The same for messages under an idempotency key: an idempotent replay needs them. */
  keyedMessages: number
  devices: number
  deviceEvents: number
  /** Of inbox messages, since they were created; undefined: without end. */
  inbox: number | undefined
}

type Settings = Pick<
  Config,
  | 'idempotencyAge'
  | 'messageAge'
  | 'messageBodyAge'
  | 'messageStorageEnabled'
  | 'syncTimeout'
  | 'droppedDeviceAge'
  | 'deviceHistoryAge'
  | 'inboxMaxAge'
>

/** In milliseconds. Without storage a message is removed as soon as no request waits for its outcome. */
export function policyOf(settings: Settings): RetentionPolicy {
  const least = settings.syncTimeout + GRACE_MS
  const messages = settings.messageStorageEnabled ? Math.max(settings.messageAge, least) : least
  return {
    contents: Math.min(messages, Math.max(settings.messageBodyAge, least)),
    messages,
    keyedMessages: Math.max(messages, settings.idempotencyAge),
    devices: settings.droppedDeviceAge,
    deviceEvents: settings.deviceHistoryAge,
    inbox: settings.inboxMaxAge,
  }
}

// How long what is kept, from the settings. Pure.
import type { Config } from '@push-server/runtime'

/** A SYNCHRONOUS request reads its tallies at the end of its wait at the latest; nothing goes before that. */
const GRACE_MS = 60_000

export interface RetentionPolicy {
  /** Contents of messages and direct chunks, since they settled. */
  contents: number
  /** Messages and deliveries, since they were accepted; nothing open goes, whatever its age. */
  messages: number
  /** The same of messages that were sent under an idempotency key, whose repeats ask for them. */
  keyedMessages: number
  devices: number
}

type Settings = Pick<
  Config,
  'idempotencyAge' | 'messageAge' | 'messageBodyAge' | 'messageStorageEnabled' | 'syncTimeout' | 'droppedDeviceAge'
>

/** In milliseconds. Without storage a message goes as soon as nobody waits for its outcome any more. */
export function policyOf(settings: Settings): RetentionPolicy {
  const least = settings.syncTimeout + GRACE_MS
  const messages = settings.messageStorageEnabled ? Math.max(settings.messageAge, least) : least
  return {
    contents: Math.min(messages, Math.max(settings.messageBodyAge, least)),
    messages,
    keyedMessages: Math.max(messages, settings.idempotencyAge),
    devices: settings.droppedDeviceAge,
  }
}

// A message that has none of the members for single platforms leaves as it always did, byte for byte but for the place of FCM's target.
// Recorded from the commit before these members, for messages of all kinds.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PLATFORMS, type Platform } from '@push-server/contract'
import { readConfig } from '@push-server/runtime'
import t from 'tap'
import { PROVIDERS, type PushDraft, type PushMessage } from '../src/index.ts'

const NOW = Date.UTC(2026, 0, 1)
const DEVICE = { token: 'aabb', settings: { bundle: 'com.example.app' } }
const SHOWN = readConfig({})
const AS_DATA = readConfig({ FCM_DATA_ONLY: 'true', HMS_DATA_ONLY: 'true' })

interface Recorded extends PushDraft {
  platform: Platform
  /** Whether the mobile applications show notifications themselves. */
  dataOnly: boolean
  message: PushMessage
}

const recorded = readFileSync(join(import.meta.dirname, 'golden/classic-messages.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line): Recorded => JSON.parse(line))

/** The target stands behind the message by now, where nothing that follows replaces it. */
const withTargetLast = (body: string) =>
  body.replace(/^\{"message":\{("token":"aabb"),(.*)\}\}$/s, '{"message":{$2,$1}}')

t.test('each message as the former commit sent it', async (t) => {
  t.equal(recorded.length, 40 * PLATFORMS.length * 2)
  for (const { platform, dataOnly, message, headers, body } of recorded) {
    const context = { config: dataOnly ? AS_DATA : SHOWN, appId: 'mobile-app', now: NOW }
    t.strictSame(
      PROVIDERS[platform].draft(message, DEVICE, context),
      { headers, body: platform === 'android' ? withTargetLast(body) : body },
      `${platform}${dataOnly ? ', as data' : ''}: ${JSON.stringify(message)}`,
    )
  }
})

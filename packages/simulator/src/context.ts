// What all fakes share. A new provider is a folder with a start function that takes this.
import type { Platform } from '@push-server/contract'
import type { ScriptedResponses } from './scripted-responses.ts'
import type { BehaviourControl } from './behaviour-settings.ts'
import type { Latency } from './latency.ts'
import type { PushLog } from './push-log.ts'

export interface Context {
  pushLog: PushLog
  responses: ScriptedResponses
  /** Latency of all providers without one of their own. */
  latency: Latency
  controls: Readonly<Record<Platform, BehaviourControl>>
}

// What every look-alike works with. A new provider is a folder with a start function that takes this.
import type { Platform } from '@push-server/contract'
import type { ScriptedResponses } from './scripted-responses.ts'
import type { BehaviourControl } from './behaviour-settings.ts'
import type { Latency } from './latency.ts'
import type { PushLog } from './push-log.ts'

export interface Context {
  pushLog: PushLog
  responses: ScriptedResponses
  /** Of all providers that have none of their own. */
  latency: Latency
  controls: Readonly<Record<Platform, BehaviourControl>>
}

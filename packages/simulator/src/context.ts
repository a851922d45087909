// What every look-alike works with. A new provider is a folder with a start function that takes this.
import type { Platform } from '@push-server/contract'
import type { Answers } from './answers.ts'
import type { Conducted } from './conduct.ts'
import type { Latency } from './latency.ts'
import type { Ledger } from './ledger.ts'

export interface Context {
  ledger: Ledger
  answers: Answers
  /** Of all providers that have none of their own. */
  latency: Latency
  conducts: Readonly<Record<Platform, Conducted>>
}

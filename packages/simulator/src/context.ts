// What every look-alike works with. A new provider is a folder with a start function that takes this.
import type { Answers } from './answers.ts'
import type { Latency } from './latency.ts'
import type { Ledger } from './ledger.ts'

export interface Context {
  ledger: Ledger
  answers: Answers
  latency: Latency
}

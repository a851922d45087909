// What it means to a delivery that its request ended without an answer. Pure.
import type { Http2Result } from '@push-server/http2'
import type { Outcome } from './provider.ts'

const WORDS = { unsent: 'Unsent', unknown: 'Unknown', timeout: 'Timeout' } as const

/** Always another try; the first word of the reason says whether this one may have been delivered (all but `Unsent`). */
export const transportOutcome = ({ kind, reason }: Exclude<Http2Result, { kind: 'response' }>): Outcome => ({
  kind: 'retry',
  reason: `${WORDS[kind]}: ${reason}`,
  ...(kind === 'unsent' && { unsent: true }),
})

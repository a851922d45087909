// The outcome of a delivery whose request ended without a response. Pure.
import type { Http2Result } from '@push-server/http2'
import type { Outcome } from './provider.ts'

const WORDS = { unsent: 'Unsent', unknown: 'Unknown', timeout: 'Timeout' } as const

/** Always a retry. The first word of the reason tells whether the push may have been delivered (all but `Unsent`). */
export const transportOutcome = ({ kind, reason }: Exclude<Http2Result, { kind: 'response' }>): Outcome => ({
  kind: 'retry',
  reason: `${WORDS[kind]}: ${reason}`,
  ...(kind === 'unsent' && { unsent: true }),
})

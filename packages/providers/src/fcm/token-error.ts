// What it means to a delivery that its access token could not be had, or was refused. Pure.
import type { InFlightPush, Renewal, TokenRefused as Refusal } from '../chunk-push.ts'
import type { Outcome } from '../provider.ts'
import { TokenRefused, TokenUnavailable } from '../oauth/token-endpoint.ts'

const LONGEST_REASON = 100

/** Undefined for a fault that is not the token endpoint's, as of the cache. */
export function tokenError(error: unknown): Outcome | undefined {
  if (error instanceof TokenRefused) return { kind: 'credentials-error', reason: reasonOf(error) }
  if (error instanceof TokenUnavailable) return { kind: 'retry', reason: reasonOf(error) }
}

const reasonOf = ({ name, message }: Error) => `${name}: ${message}`.slice(0, LONGEST_REASON)

/** Of a push that FCM refused for its access token and that is not repeated. */
export function refusedOutcome(inFlight: InFlightPush<unknown>, { reason }: Refusal, renewal: Renewal): Outcome {
  if ('error' in renewal) return tokenError(renewal.error) ?? { kind: 'retry', reason }
  // There is another token and the push has not been made with it, for an abort came between.
  const isUntried = renewal.token.value !== inFlight.token.value && !inFlight.isResent
  return { kind: isUntried ? 'retry' : 'credentials-error', reason }
}

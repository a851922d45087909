// The outcome of a push whose access token FCM refused and that is not repeated. Pure.
import type { InFlightPush, Renewal, TokenRefusal } from '../chunk-push.ts'
import { tokenOutcome } from '../oauth/token-outcome.ts'
import type { Outcome } from '../provider.ts'

export function refusedOutcome(inFlight: InFlightPush<unknown>, { reason }: TokenRefusal, renewal: Renewal): Outcome {
  if ('error' in renewal) return tokenOutcome(renewal.error) ?? { kind: 'retry', reason }
  // There is another token, and an abort kept the push from being repeated with it.
  const isUntried = renewal.token.value !== inFlight.token.value && !inFlight.isResent
  return { kind: isUntried ? 'retry' : 'credentials-error', reason }
}

// What an error of the token endpoint means to a delivery. Pure.
import type { Outcome } from '../provider.ts'
import { TokenRefused, TokenUnavailable } from './token-endpoint.ts'

const LONGEST_REASON = 100

/** Undefined for any other error, such as one of the cache. */
export function tokenOutcome(error: unknown): Outcome | undefined {
  if (error instanceof TokenRefused) return { kind: 'credentials-error', reason: reasonOf(error) }
  if (error instanceof TokenUnavailable) return { kind: 'retry', reason: reasonOf(error) }
  return undefined
}

const reasonOf = ({ name, message }: Error) => `${name}: ${message}`.slice(0, LONGEST_REASON)

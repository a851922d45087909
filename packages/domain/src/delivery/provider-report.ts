// The providers of a worker in /health/ready: their number by state, and by name those with trouble first. Pure.
import type { ProviderState } from '@push-server/providers'

export interface OpenProvider {
  appId: string
  state: ProviderState
}

export interface ProviderReport {
  /** Number of providers, one for each application that sent something lately; then their number by state. */
  open: number
  up: number
  down: number
  idle: number
  /** Providers that are down first, then those with the latest failure. Times of failures are in ISO 8601. */
  applications: { appId: string; connection: ProviderState['connection']; failure?: { reason: string; at: string } }[]
}

/** A worker may serve hundreds of applications, and health is polled every few seconds. */
const MOST_NAMED = 20

export function reportOf(providers: readonly OpenProvider[]): ProviderReport {
  const count = (expected: ProviderState['connection']) =>
    providers.filter(({ state }) => state.connection === expected).length
  return {
    open: providers.length,
    up: count('up'),
    down: count('down'),
    idle: count('idle'),
    applications: providers.toSorted(byUrgency).slice(0, MOST_NAMED).map(described),
  }
}

const isDown = ({ state }: OpenProvider) => Number(state.connection === 'down')

const byUrgency = (a: OpenProvider, b: OpenProvider) =>
  isDown(b) - isDown(a) || (b.state.failure?.at ?? 0) - (a.state.failure?.at ?? 0)

const described = ({ appId, state: { connection, failure } }: OpenProvider) => ({
  appId,
  connection,
  ...(failure && { failure: { reason: failure.reason, at: new Date(failure.at).toISOString() } }),
})

// How long work in PostgreSQL may take. The server's limits are shorter than the client's: what the client gives up is over
// on the server as well, so that it holds no connection and is not stored later.

/** Milliseconds. */
export interface TimeLimits {
  /** The client's wait for the response of one statement. */
  client: number
  /** After these the server cancels a statement, the wait for one lock, an idle transaction. */
  statement: number
  lock: number
  idle: number
}

/** Far longer than any of our statements takes. */
export const DEFAULT_TIMEOUT_MS = 15_000

/** What every connection has unless it says otherwise. A third of the wait is left to the network and to busy processes. */
export const limitsOf = (client: number): TimeLimits => ({
  client,
  statement: Math.ceil((client * 2) / 3),
  lock: Math.ceil(client / 3),
  idle: Math.ceil((client * 2) / 3),
})

/** Of fan-out and imports: sorting a million rows on a slow disk takes less. */
export const LONG: TimeLimits = { client: 300_000, statement: 240_000, lock: 30_000, idle: 60_000 }

/** For minting a provider token, and for waiting for one: a token endpoint may take 10 s, and each transaction that waits calls it too. */
export const MINTING: TimeLimits = { client: 90_000, statement: 60_000, lock: 60_000, idle: 30_000 }

/** Of registrations: another one on the same activation or token ends soon, but a batch of an import may be before it. */
export const registering = ({ client, statement, idle }: TimeLimits): TimeLimits => ({
  client,
  statement,
  lock: statement,
  idle,
})

/** The server's own settings; 0: no limit. */
export const SERVER_LIMITS = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'] as const
export type ServerLimits = Record<(typeof SERVER_LIMITS)[number], number>

export const serverLimitsOf = ({ statement, lock, idle }: TimeLimits): ServerLimits => ({
  statement_timeout: statement,
  lock_timeout: lock,
  idle_in_transaction_session_timeout: idle,
})

/** SQL that puts them in force, on the connection or (`SET LOCAL`) until the end of the transaction. */
export function setLimits(limits: TimeLimits, set: 'SET' | 'SET LOCAL'): string {
  const values = serverLimitsOf(limits)
  return SERVER_LIMITS.map((name) => `${set} ${name} = ${values[name]}`).join('; ')
}

/** Reads `ServerLimits` in milliseconds. */
export const READ_LIMITS = `SELECT ${SERVER_LIMITS.map(
  (name) => `(extract(epoch FROM current_setting('${name}')::interval) * 1000)::float8 AS ${name}`,
).join(', ')}`

/** Those that are missing, or too long for a client that waits for `client` ms. Pure. */
export const missingLimits = (inForce: ServerLimits, client: number) =>
  SERVER_LIMITS.filter((name) => inForce[name] === 0 || inForce[name] >= client)

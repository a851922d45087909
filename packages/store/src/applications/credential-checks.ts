// Checks of credentials at their provider: a gateway writes a row, a worker of the platform takes it and writes what it found.
import type { Platform } from '@push-server/contract'
import type { CredentialsKey } from './credentials.ts'
import type { Database } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'

export interface CheckResult {
  accepted: boolean
  reason: string | null
  /** How long the provider took. */
  ms: number
  /** What was done, in words. */
  tried: string
}

/** Within this time somebody waits for the result. */
const CURRENT = "interval '10 s'"

/** Whoever comes before a worker has taken the check gets its result too. What is old goes by the way. */
const REQUEST = statement({
  name: 'credential-check-request',
  text: `WITH old AS (
      DELETE FROM credential_checks WHERE requested_at < now() - interval '10 min' AND claimed_at IS NOT NULL)
    INSERT INTO credential_checks (application_id, platform) VALUES ($1, $2)
    ON CONFLICT (application_id, platform) WHERE claimed_at IS NULL DO UPDATE SET requested_at = now() RETURNING id`,
})

const TAKE = statement({
  name: 'credential-check-take',
  text: `UPDATE credential_checks SET claimed_at = now() WHERE id = (
      SELECT id FROM credential_checks WHERE platform = $1 AND claimed_at IS NULL AND requested_at > now() - ${CURRENT}
      ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, application_id AS "applicationId"`,
})

const FINISH = statement({
  name: 'credential-check-finish',
  text: `UPDATE credential_checks SET finished_at = now(), accepted = $2, reason = left($3, 255), ms = $4, tried = $5
    WHERE id = $1`,
  nullable: [3],
})

const READ = statement({
  name: 'credential-check-read',
  text: 'SELECT accepted, reason, ms, tried FROM credential_checks WHERE id = $1 AND finished_at IS NOT NULL',
})

export const openCredentialChecks = (database: Database) => ({
  /** The id of the check that waits now. */
  async request({ applicationId, platform }: CredentialsKey): Promise<number> {
    const [row] = await database.query(REQUEST, [applicationId, platform])
    if (!row) throw new Error('A check was neither made nor found')
    return row.id
  },

  /** The check that has waited longest; undefined when there is none. Nobody else gets it then. */
  async take(platform: Platform): Promise<{ id: number; applicationId: number } | undefined> {
    const [row] = await database.query(TAKE, [platform])
    return row
  },

  async finish(id: number, { accepted, reason, ms, tried }: CheckResult): Promise<void> {
    await database.query(FINISH, [id, accepted, reason, ms, tried])
  },

  /** Undefined until it is finished. */
  async read(id: number): Promise<CheckResult | undefined> {
    const [row] = await database.query(READ, [id])
    if (!row || row.accepted === null) return undefined
    return { accepted: row.accepted, reason: row.reason, ms: row.ms ?? 0, tried: row.tried ?? '' }
  },
})

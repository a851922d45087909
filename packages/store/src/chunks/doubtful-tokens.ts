// Doubtful tokens of credentials that no push has succeeded with: the mistake is as likely ours. Their devices are dropped once a push
// succeeds with the same version of the credentials in the same environment and for the same kind of tokens, and forgotten after a day without one.
import type { ClaimedChunk, DeadToken } from './row.ts'
import { EVENT_SOURCE, LOG_EVENTS } from '../devices/events.ts'
import { TOKEN_SPELLINGS } from '../devices/token-spelling.ts'
import type { Database } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'

/** What a push was made with. The version is null where nothing can have been pushed. */
export type UsedCredentials = Pick<ClaimedChunk, 'applicationId' | 'platform' | 'credentialsVersion'>

/** A day is long enough for whoever tries an installation out. */
const FORGOTTEN = "interval '1 day'"

/** In one order of devices: two workers may hold the same ones. */
const HOLD = statement({
  name: 'doubt-hold',
  text: `WITH proven AS (
      SELECT environment FROM proven_credentials WHERE application_id = $1 AND platform = $2 AND version = $3),
    held AS (
      INSERT INTO doubtful_tokens AS h (device_id, application_id, platform, version, environment, reason, since)
      SELECT DISTINCT ON (d.id) d.id, $1, $2, $3, t.environment, t.reason, t.since
      FROM unnest($4::text[], $5::text[], $6::text[], $7::timestamptz[]) AS t(token, environment, reason, since)
      JOIN devices d ON d.application_id = $1 AND d.platform = $2 AND d.token = ANY(${TOKEN_SPELLINGS('$2', 't.token')})
        AND d.registered_at <= t.since AND d.dropped_at IS NULL
      WHERE t.environment NOT IN (SELECT environment FROM proven) ORDER BY d.id
      ON CONFLICT (device_id) DO UPDATE SET application_id = excluded.application_id, platform = excluded.platform,
        version = excluded.version, environment = excluded.environment, reason = excluded.reason, since = excluded.since)
    SELECT environment FROM proven`,
})

/** Nothing is dropped while the circuit breaker is open: then one success proves little. */
const PROVE = statement({
  name: 'doubt-prove',
  text: `WITH proven AS (
      INSERT INTO proven_credentials AS p (application_id, platform, version, environment) VALUES ($1, $2, $3, $4)
      ON CONFLICT (application_id, platform, environment) DO UPDATE SET version = excluded.version, proven_at = now()
      WHERE p.version <> excluded.version),
    due AS (
      DELETE FROM doubtful_tokens WHERE application_id = $1 AND platform = $2 AND version = $3 AND environment = $4
        AND since > now() - ${FORGOTTEN} AND NOT EXISTS (
          SELECT FROM token_guards g WHERE g.application_id = $1 AND g.platform = $2 AND g.tripped_at IS NOT NULL)
      RETURNING device_id, reason, since),
    doomed AS (
      SELECT d.id, due.reason FROM due JOIN devices d ON d.id = due.device_id
      WHERE d.registered_at <= due.since AND d.dropped_at IS NULL ORDER BY d.id FOR UPDATE OF d),
    dropped AS (
      UPDATE devices d SET dropped_at = now(), drop_reason = doomed.reason, drop_doubtful = true
      FROM doomed WHERE d.id = doomed.id RETURNING ${EVENT_SOURCE('d')}, d.drop_reason),
    logged AS (${LOG_EVENTS('dropped', 'dropped', 's.drop_reason')})
    SELECT id FROM dropped`,
})

const FORGET = statement({
  name: 'doubt-forget',
  text: `DELETE FROM doubtful_tokens WHERE since < now() - ${FORGOTTEN}`,
})

export const openDoubtfulTokens = (database: Database) => ({
  /**
   * Keeps the tokens of scopes in which these credentials are not proven. Resolves with the scopes in which they are:
   * nothing is kept of those.
   */
  async hold(
    { applicationId, platform, credentialsVersion }: UsedCredentials,
    tokens: readonly DeadToken[],
  ): Promise<string[]> {
    const rows = await database.query(HOLD, [
      applicationId,
      platform,
      credentialsVersion ?? 0,
      tokens.map(({ token }) => token),
      tokens.map(({ scope }) => scope ?? ''),
      tokens.map(({ reason }) => reason),
      tokens.map(({ since }) => new Date(since)),
    ])
    return rows.map(({ environment }) => environment)
  },

  /** A push has succeeded. Resolves with the number of devices that are dropped now. */
  async prove({ applicationId, platform, credentialsVersion }: UsedCredentials, scope: string): Promise<number> {
    return (await database.query(PROVE, [applicationId, platform, credentialsVersion ?? 0, scope])).length
  },

  async forget(): Promise<void> {
    await database.query(FORGET)
  },
})

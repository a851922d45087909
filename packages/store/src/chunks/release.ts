// The parts of a record that both lanes share, as SQL: giving the chunk back, dropping dead tokens, notifying the gateway that waits.
import type { DeadToken } from './row.ts'
import { EVENT_SOURCE, LOG_EVENTS } from '../devices/events.ts'
import { TOKEN_SPELLINGS } from '../devices/token-spelling.ts'

interface ReleaseTerms {
  /** Whether the claim ends. */
  release: string
  /** When the chunk is due again; null = now. */
  dueAt: string
  /** Whether nothing is pending any more. */
  settles: string
}

/** A release settles the chunk when nothing is pending, otherwise makes it due again. */
export const RELEASE_COLUMNS = ({ release, dueAt, settles }: ReleaseTerms) => `
        owner = CASE WHEN ${release} THEN NULL ELSE c.owner END,
        lease_until = CASE WHEN ${release} THEN NULL ELSE c.lease_until END,
        swept_at = CASE WHEN ${release} THEN NULL ELSE c.swept_at END,
        settled_at = CASE WHEN ${settles} THEN now() END,
        try = CASE WHEN ${release} THEN least(c.try, 32766) + 1 ELSE c.try END,
        due_at = CASE WHEN ${release} THEN coalesce(${dueAt}, now()) ELSE c.due_at END`

/**
 * Devices are locked in one order, or two chunks with the same dead tokens would deadlock. A chunk holds tokens as they were
 * spelled when it was made; a device may have been respelled since.
 * `recorded` comes before it, `first` is the first of four placeholders.
 */
export const DROP_TOKENS = (first: number) => `doomed AS (
      SELECT d.id, t.reason, t.doubtful
      FROM recorded, devices d, unnest($${first}::text[], $${first + 1}::text[], $${first + 2}::timestamptz[], $${first + 3}::bool[])
        AS t(token, reason, since, doubtful)
      WHERE d.application_id = recorded.application_id AND d.token = ANY(${TOKEN_SPELLINGS('recorded.platform', 't.token')})
        AND d.platform = recorded.platform
        AND d.registered_at <= t.since AND d.dropped_at IS NULL
      ORDER BY d.id FOR UPDATE OF d),
    dropped AS (
      UPDATE devices d SET dropped_at = now(), drop_reason = doomed.reason, drop_doubtful = doomed.doubtful
      FROM doomed WHERE d.id = doomed.id
      RETURNING ${EVENT_SOURCE('d')}, d.drop_reason),
    logged AS (${LOG_EVENTS('dropped', 'dropped', 's.drop_reason')}),`

/**
 * In place of DROP_TOKENS where no token is dead, as nearly always: then the plan is made once for each connection. With them it
 * depends on how many there are, and is made anew for each record.
 */
export const DROP_NONE = 'dropped AS (SELECT WHERE false),'

/** The values of DROP_TOKENS. */
export const deadTokenColumns = (deadTokens: readonly DeadToken[]) =>
  [
    deadTokens.map(({ token }) => token),
    deadTokens.map(({ reason }) => reason),
    deadTokens.map(({ since }) => new Date(since)),
    deadTokens.map(({ doubtful = false }) => doubtful),
  ] as const

/** Columns of `RELEASED` that are never null. */
export const RELEASED_NOT_NULL = {
  pending: 'computed from columns that are not null',
  ended: 'computed from columns that are not null',
  settled: 'IS NOT NULL is never null',
  delayMs: 'due_at is not null',
  dropped: 'count is never null',
}

/** What a record returns to its worker. `notify` tells the gateway that waits, as SQL with a row for each notification. */
export const RELEASED = (notify: string) => `notification AS (
      ${notify})
    SELECT id, settled_at IS NOT NULL AS settled, try, total - sent - failed AS pending, sent + failed AS ended,
      greatest(0, extract(epoch FROM due_at - now()) * 1000)::float8 AS "delayMs",
      (SELECT count(*) FROM dropped)::int AS dropped, (SELECT count(*) FROM notification)::int AS notified
    FROM recorded`

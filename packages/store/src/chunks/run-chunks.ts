// Chunks of the campaign lane: what became of them. Everything of one chunk stands in its row.
import { IS_OPEN } from './open-chunks.ts'
import type { Claim, DeadToken, StoredOutcomes } from './row.ts'
import type { Release } from './records.ts'
import { NOTIFY_NOBODY } from './chunk-news.ts'
import { deadTokenColumns, DROP_NONE, DROP_TOKENS, RELEASED, RELEASED_NOT_NULL, RELEASE_COLUMNS } from './release.ts'
import type { Database } from '../connection/database.ts'
import { statement, type ValuesOf } from '../connection/statement.ts'

/** States in which a run that has chunks may get more of them: one with an audience is scheduled until it is fanned out. */
const FANNING_OUT = `'scheduled', 'fanning-out'`

/**
 * Outcomes are written whole, as the one worker that has the claim knows them: written twice they say the same. Tokens are
 * kept while the run is fanning out, as its late partition compares them.
 */
const recording = (dropped: string) => `WITH recorded AS (
      UPDATE chunks c SET outcomes = $4, sent = $5, failed = $6, reasons = $7, reason_names = $8, retries = $9,
        ${RELEASE_COLUMNS({ release: '$10', dueAt: '$11', settles: '$10 AND $5::int + $6::int >= c.total' })},
        tokens = CASE WHEN $10 AND $5::int + $6::int >= c.total AND r.state NOT IN (${FANNING_OUT}) THEN '{}' ELSE c.tokens END,
        environments = CASE WHEN $10 AND $5::int + $6::int >= c.total THEN NULL ELSE c.environments END,
        token_kinds = CASE WHEN $10 AND $5::int + $6::int >= c.total THEN NULL ELSE c.token_kinds END
      FROM runs r WHERE r.id = c.run_id AND c.id = $1 AND c.owner = $2 AND c.epoch = $3 AND ${IS_OPEN}
      RETURNING c.application_id, c.platform, c.waiter, c.settled_at, c.try, c.due_at, c.id, c.total, c.sent, c.failed),
    ${dropped}
    ${RELEASED(NOTIFY_NOBODY)}`

const RECORD = statement({
  name: 'run-chunk-record',
  text: recording(DROP_NONE),
  notNull: RELEASED_NOT_NULL,
  nullable: [9, 11],
})
const RECORD_AND_DROP = statement({
  name: 'run-chunk-record-and-drop',
  text: recording(DROP_TOKENS(12)),
  notNull: RELEASED_NOT_NULL,
  nullable: [9, 11],
})

/** Chunks of cancelled runs that no worker has claimed: what was not sent fails. */
const CLOSE = statement({
  name: 'run-chunk-close',
  text: `WITH open AS (
      SELECT c.id FROM chunks c JOIN runs r ON r.id = c.run_id
      WHERE c.settled_at IS NULL AND c.run_id IS NOT NULL AND r.cancelled_at IS NOT NULL
        AND (c.lease_until IS NULL OR c.lease_until < now())
      LIMIT $1 FOR UPDATE OF c SKIP LOCKED)
    UPDATE chunks c SET failed = total - sent, settled_at = now(), owner = NULL, lease_until = NULL, epoch = epoch + 1,
      close_reason = 'Cancelled', tokens = '{}', environments = NULL, token_kinds = NULL,
      reasons = reasons || jsonb_build_object('Cancelled', total - sent - failed)
    FROM open WHERE c.id = open.id RETURNING c.id`,
})

/** Tokens that the fan-out of their run still needed when their chunk settled. An index has these chunks, mostly none. */
const FORGET = statement({
  name: 'run-chunk-forget',
  text: `UPDATE chunks SET tokens = '{}' WHERE id IN (
      SELECT c.id FROM chunks c JOIN runs r ON r.id = c.run_id
      WHERE c.run_id IS NOT NULL AND c.settled_at IS NOT NULL AND c.tokens <> '{}' AND r.state NOT IN (${FANNING_OUT})
      LIMIT $1 FOR UPDATE OF c SKIP LOCKED) RETURNING id`,
})

export interface RunRecords {
  outcomes: StoredOutcomes
  deadTokens: readonly DeadToken[]
}

interface Entry extends RunRecords {
  claim: Claim
  owner: string
  release?: { dueAt: number | null }
}

export const openRunChunks = (database: Database) => {
  async function write({ claim, owner, outcomes, deadTokens, release }: Entry): Promise<Release | undefined> {
    const { bytes, sent, failed, reasons, reasonNames, retries } = outcomes
    const dueAt = release?.dueAt ?? null
    const values: ValuesOf<'run-chunk-record'> = [
      claim.id,
      owner,
      claim.epoch,
      bytes,
      sent,
      failed,
      JSON.stringify(reasons),
      reasonNames,
      Object.keys(retries).length === 0 ? null : JSON.stringify(retries),
      release !== undefined,
      dueAt === null ? null : new Date(dueAt),
    ]
    const [row] =
      deadTokens.length > 0
        ? await database.query(RECORD_AND_DROP, [...values, ...deadTokenColumns(deadTokens)])
        : await database.query(RECORD, values)
    return row
  }

  return {
    /** A checkpoint: the claim stays. Undefined when the claim is lost and nothing was written. */
    record: (claim: Claim, owner: string, records: RunRecords) => write({ claim, owner, ...records }),

    /** The last record of a claim: the chunk is settled, or due again at `dueAt` (ms since the epoch; null = now). */
    release: (claim: Claim, owner: string, { dueAt, ...records }: RunRecords & { dueAt: number | null }) =>
      write({ claim, owner, ...records, release: { dueAt } }),

    /** Settles up to `limit` chunks of cancelled runs; resolves with how many. */
    async close(limit: number): Promise<number> {
      return (await database.query(CLOSE, [limit])).length
    },

    /** Of up to `limit` settled chunks of runs that no longer fan out; resolves with how many. */
    async forgetTokens(limit: number): Promise<number> {
      return (await database.query(FORGET, [limit])).length
    },
  }
}

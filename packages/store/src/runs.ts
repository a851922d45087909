// Runs: live sends of campaigns, from their start to their end. Rows only; schedulers move them on.
import type { CampaignState, Platform } from '@push-server/contract'
import { LIVING } from './campaigns.ts'
import type { Database, Statement } from './database.ts'

/** Told whenever a run may be moved on, so that schedulers need not wait for their next look. */
export const RUNS_CHANNEL = 'runs'

export interface RunRow {
  id: number
  campaignId: number
  applicationId: number
}

/** A run whose audience is not cut yet. */
export interface FanningOutRun extends RunRow {
  /** False until it is divided into partitions. */
  isPartitioned: boolean
}

export interface NewRun {
  campaignId: number
  /** Pushes per second over all workers; null = as fast as the provider takes them. */
  rate: number | null
  /** When it is due; null = now. */
  scheduledAt: Date | null
  /** Start a new one although one was completed. */
  again: boolean
}

export interface OpenChunk {
  id: number
  applicationId: number
  platform: Platform
  try: number
}

/** What came of a start: the run, or the state that forbids it. */
export type Started = { runId: number } | { refusedBy: CampaignState }

/** Of two calls at the same moment the second one is to see the run of the first, even when that is over already. */
const LOCK: Statement = {
  name: 'run-start-lock',
  text: `SELECT c.id FROM ${LIVING} WHERE c.id = $1 FOR NO KEY UPDATE OF c`,
}

/** The last run decides. */
const START: Statement = {
  name: 'run-start',
  text: `WITH last AS (SELECT state FROM runs WHERE campaign_id = $1 ORDER BY id DESC LIMIT 1),
    started AS (
      INSERT INTO runs (campaign_id, state, rate, scheduled_at, started_at)
      SELECT c.id, CASE WHEN $3::timestamptz IS NULL THEN 'fanning-out' ELSE 'scheduled' END, $2::int, $3::timestamptz,
        CASE WHEN $3::timestamptz IS NULL THEN now() END
      FROM ${LIVING} WHERE c.id = $1 AND NOT EXISTS (
        SELECT FROM last WHERE state IN ('scheduled', 'fanning-out', 'sending') OR (state = 'sent' AND NOT $4::bool))
      RETURNING id),
    told AS (SELECT pg_notify('${RUNS_CHANNEL}', '') FROM started)
    SELECT (SELECT id FROM started) AS "runId", (SELECT state FROM last) AS state, (SELECT count(*) FROM told) AS notified`,
}

/** Scheduled runs that are due; those that are late by more than $1 ms are missed. */
const FIRE: Statement = {
  name: 'run-fire',
  text: `WITH due AS (
      SELECT id FROM runs WHERE state = 'scheduled' AND scheduled_at <= now() FOR UPDATE SKIP LOCKED)
    UPDATE runs r SET
      state = CASE WHEN r.scheduled_at < now() - $1 * interval '1 ms' THEN 'missed' ELSE 'fanning-out' END,
      started_at = CASE WHEN r.scheduled_at >= now() - $1 * interval '1 ms' THEN now() END,
      settled_at = CASE WHEN r.scheduled_at < now() - $1 * interval '1 ms' THEN now() END
    FROM due WHERE r.id = due.id RETURNING r.id, r.campaign_id AS "campaignId", r.state`,
}

const FANNING_OUT: Statement = {
  name: 'run-fanning-out',
  text: `SELECT r.id, r.campaign_id AS "campaignId", c.application_id AS "applicationId",
      EXISTS (SELECT FROM run_partitions p WHERE p.run_id = r.id) AS "isPartitioned"
    FROM runs r JOIN campaigns c ON c.id = r.campaign_id WHERE r.state = 'fanning-out' ORDER BY r.id`,
}

/** Whoever else samples at the same moment waits, and then finds that it is done. */
const SAMPLE: Statement = {
  name: 'run-sample',
  text: `UPDATE runs r SET previous_at = r.sampled_at, previous_done = r.sampled_done, sampled_at = now(),
      sampled_done = (SELECT coalesce(sum(c.sent + c.failed), 0) FROM chunks c WHERE c.run_id = r.id)
    WHERE r.state IN ('fanning-out', 'sending') AND coalesce(r.sampled_at, r.started_at) < now() - interval '5 s'`,
}

const SETTLE: Statement = {
  name: 'run-settle',
  text: `UPDATE runs r SET state = 'sent', settled_at = now()
    WHERE r.state = 'sending' AND r.cancelled_at IS NULL
      AND NOT EXISTS (SELECT FROM chunks c WHERE c.run_id = r.id AND c.settled_at IS NULL)
    RETURNING r.id, r.campaign_id AS "campaignId"`,
}

const FAIL: Statement = {
  name: 'run-fail',
  text: `UPDATE runs SET state = 'failed', cancelled_at = coalesce(cancelled_at, now()), settled_at = now()
    WHERE id = $1 AND state IN ('fanning-out', 'sending') RETURNING id`,
}

const OPEN: Statement = {
  name: 'run-open',
  text: `SELECT id, application_id AS "applicationId", platform, try FROM chunks
    WHERE run_id = $1 AND settled_at IS NULL AND (lease_until IS NULL OR lease_until < now()) ORDER BY id`,
}

/** The promised pushes follow each other at the run's rate, whoever asks; what was not used in time is not made up for. */
const RESERVE: Statement = {
  name: 'run-reserve',
  text: `UPDATE runs SET paced_until = greatest(paced_until, clock_timestamp()) + $2::float8 / rate * interval '1 s'
    WHERE id = $1 AND rate IS NOT NULL
    RETURNING greatest(0, extract(epoch FROM paced_until - $2::float8 / rate * interval '1 s' - clock_timestamp()) * 1000)::float8
      AS "waitMs"`,
}

/** What a control call does to the active run, and in which states it may. */
const control = (name: string, states: string, change: string): Statement => ({
  name: `run-${name}`,
  text: `WITH last AS (SELECT id, state, paused_at FROM runs WHERE campaign_id = $1 ORDER BY id DESC LIMIT 1 FOR UPDATE),
    changed AS (UPDATE runs r SET ${change} FROM last WHERE r.id = last.id AND last.state IN (${states}) RETURNING r.id),
    told AS (SELECT pg_notify('${RUNS_CHANNEL}', '') FROM changed)
    SELECT (SELECT id FROM changed) AS "runId", (SELECT state FROM last) AS state, (SELECT count(*) FROM told) AS notified`,
})

const ACTIVE = `'fanning-out', 'sending'`
const PAUSE = control('pause', ACTIVE, 'paused_at = coalesce(r.paused_at, now())')
const RESUME = control('resume', ACTIVE, 'paused_at = NULL')
const CANCEL = control(
  'cancel',
  `${ACTIVE}, 'scheduled'`,
  `state = 'cancelled', cancelled_at = now(), settled_at = now()`,
)
const UNSCHEDULE = control('unschedule', `'scheduled'`, `state = 'cancelled', cancelled_at = now(), settled_at = now()`)

interface Changed {
  runId: number | null
  state: CampaignState | null
}

function refusedOr(row: Changed | undefined): Started {
  if (!row || row.runId === null) return { refusedBy: row?.state ?? 'created' }
  return { runId: row.runId }
}

export const openRuns = (database: Database) => {
  async function change(statement: Statement, campaignId: number): Promise<Started> {
    const [row] = await database.query<Changed>(statement, [campaignId])
    return refusedOr(row)
  }

  return {
    /** Starts or schedules a run of a campaign that has no active one. */
    start: ({ campaignId, rate, scheduledAt, again }: NewRun): Promise<Started> =>
      database.transaction(async (connection) => {
        await connection.query(LOCK, [campaignId])
        const [row] = await connection.query<Changed>(START, [campaignId, rate, scheduledAt, again])
        return refusedOr(row)
      }),

    pause: (campaignId: number) => change(PAUSE, campaignId),
    resume: (campaignId: number) => change(RESUME, campaignId),
    /** Keeps what was sent; what was not fails as cancelled. */
    cancel: (campaignId: number) => change(CANCEL, campaignId),
    unschedule: (campaignId: number) => change(UNSCHEDULE, campaignId),

    /** Scheduled runs whose time has come; those late by more than `graceMs` are missed instead. */
    fire: (graceMs: number): Promise<{ id: number; campaignId: number; state: CampaignState }[]> =>
      database.query(FIRE, [graceMs]),

    fanningOut: (): Promise<FanningOutRun[]> => database.query(FANNING_OUT),

    /** Notes how far active runs are; the pace that the API tells is taken since the sample before the last. */
    async sample(): Promise<void> {
      await database.query(SAMPLE)
    },

    /** Settles runs all of whose chunks are; answers them. */
    settle: (): Promise<{ id: number; campaignId: number }[]> => database.query(SETTLE),

    /** Promises `count` pushes of a run with a rate to the caller; answers in how many ms they may start. */
    async reserve(runId: number, count: number): Promise<number> {
      const [row] = await database.query<{ waitMs: number }>(RESERVE, [runId, count])
      return row?.waitMs ?? 0
    },

    /** Its chunks that are neither settled nor in a worker's hands. */
    open: (runId: number): Promise<OpenChunk[]> => database.query(OPEN, [runId]),

    /** A run that cannot be cut. What it has sent stays. */
    async fail(runId: number): Promise<void> {
      await database.query(FAIL, [runId])
    },
  }
}
export type Runs = ReturnType<typeof openRuns>

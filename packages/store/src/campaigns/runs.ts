// Runs: live sends of campaigns, from their start to their end. Rows only; schedulers move them on.
import type { CampaignState, Platform } from '@push-server/contract'
import { FANS_OUT, RUN_STATE, type RunAudience } from './audiences.ts'
import { LIVING } from './campaigns.ts'
import type { Database } from '../connection/database.ts'
import { statement, type Statement } from '../connection/statement.ts'

/** Notified whenever a run may be moved on, so that schedulers need not wait for their next poll. */
export const RUNS_CHANNEL = 'runs'

export interface RunRow {
  id: number
  campaignId: number
  applicationId: number
}

/** A run whose audience has not been fanned out yet. */
export interface FanningOutRun extends RunRow {
  /** False until it is divided into partitions. */
  isPartitioned: boolean
  /** Null = all users of the campaign. */
  audience: RunAudience | null
}

export interface NewRun {
  campaignId: number
  /** Pushes per second over all workers; null = as fast as the provider takes them. */
  rate: number | null
  /** When it is due; null = now. */
  scheduledAt: Date | null
  /** Whom it goes to when a run of the campaign has started before. Null: it is refused then. Only one to all can be scheduled. */
  resend: RunAudience | 'all' | null
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
const LOCK = statement({
  name: 'run-start-lock',
  text: `SELECT c.id FROM ${LIVING} WHERE c.id = $1 FOR NO KEY UPDATE OF c`,
})

/**
 * Refused while a run is active, and without a word about whom to reach once one has started: whatever became of it, it may have reached
 * some. Without such a run nobody was reached, so any audience is everybody.
 */
const START = statement({
  name: 'run-start',
  text: `WITH last AS (SELECT ${RUN_STATE} AS state FROM runs r WHERE r.campaign_id = $1 ORDER BY r.id DESC LIMIT 1),
    began AS MATERIALIZED (SELECT EXISTS (SELECT FROM runs WHERE campaign_id = $1 AND (started_at IS NOT NULL OR state = 'sent')) AS began),
    chosen AS MATERIALIZED (SELECT CASE WHEN began THEN nullif($4::text, 'all') END AS audience FROM began),
    started AS (
      INSERT INTO runs (campaign_id, state, rate, scheduled_at, started_at, audience)
      SELECT c.id, CASE WHEN $3::timestamptz IS NULL AND chosen.audience IS NULL THEN 'fanning-out' ELSE 'scheduled' END, $2::int,
        $3::timestamptz, CASE WHEN $3::timestamptz IS NULL THEN now() END, chosen.audience
      FROM chosen, began, ${LIVING} WHERE c.id = $1 AND (NOT began.began OR $4::text IS NOT NULL)
        AND NOT EXISTS (SELECT FROM last WHERE state IN ('scheduled', 'fanning-out', 'sending'))
      RETURNING id),
    notification AS (SELECT pg_notify('${RUNS_CHANNEL}', '') FROM started)
    SELECT (SELECT id FROM started) AS "runId", (SELECT state FROM last) AS state, (SELECT count(*) FROM notification) AS notified`,
  nullable: [2, 3, 4],
}).narrow<{ state: CampaignState | null }>()

/** Scheduled runs that are due; those that are late by more than $1 ms are missed. */
const FIRE = statement({
  name: 'run-fire',
  text: `WITH due AS (
      SELECT id FROM runs WHERE state = 'scheduled' AND scheduled_at <= now() FOR UPDATE SKIP LOCKED)
    UPDATE runs r SET
      state = CASE WHEN r.scheduled_at < now() - $1 * interval '1 ms' THEN 'missed' ELSE 'fanning-out' END,
      started_at = CASE WHEN r.scheduled_at >= now() - $1 * interval '1 ms' THEN now() END,
      settled_at = CASE WHEN r.scheduled_at < now() - $1 * interval '1 ms' THEN now() END
    FROM due WHERE r.id = due.id RETURNING r.id, r.campaign_id AS "campaignId", r.state`,
}).narrow<{ state: CampaignState }>()

const FANNING_OUT = statement({
  name: 'run-fanning-out',
  text: `SELECT r.id, r.campaign_id AS "campaignId", c.application_id AS "applicationId",
      EXISTS (SELECT FROM run_partitions p WHERE p.run_id = r.id) AS "isPartitioned", r.audience
    FROM runs r JOIN campaigns c ON c.id = r.campaign_id WHERE ${FANS_OUT} ORDER BY r.id`,
  notNull: { isPartitioned: 'EXISTS is never null' },
}).narrow<{ audience: RunAudience | null }>()

const IS_ACTIVE = `(${FANS_OUT} OR r.state = 'sending')`

/** Another process that samples at the same moment waits, and then finds that it is done. */
const SAMPLE = statement({
  name: 'run-sample',
  text: `UPDATE runs r SET previous_at = r.sampled_at, previous_done = r.sampled_done, sampled_at = now(),
      sampled_done = (SELECT coalesce(sum(c.sent + c.failed), 0) FROM chunks c WHERE c.run_id = r.id)
    WHERE ${IS_ACTIVE} AND coalesce(r.sampled_at, r.started_at) < now() - interval '5 s'`,
})

const SETTLE = statement({
  name: 'run-settle',
  text: `UPDATE runs r SET state = 'sent', settled_at = now()
    WHERE r.state = 'sending' AND r.cancelled_at IS NULL
      AND NOT EXISTS (SELECT FROM chunks c WHERE c.run_id = r.id AND c.settled_at IS NULL)
    RETURNING r.id, r.campaign_id AS "campaignId"`,
})

const FAIL = statement({
  name: 'run-fail',
  text: `UPDATE runs r SET state = 'failed', cancelled_at = coalesce(cancelled_at, now()), settled_at = now()
    WHERE r.id = $1 AND ${IS_ACTIVE} RETURNING r.id`,
})

const OPEN = statement({
  name: 'run-open',
  text: `SELECT id, application_id AS "applicationId", platform, try FROM chunks
    WHERE run_id = $1 AND settled_at IS NULL AND (lease_until IS NULL OR lease_until < now()) ORDER BY id`,
}).narrow<{ platform: Platform }>()

/** The promised pushes follow each other at the run's rate, whichever worker reserves them; what was not used in time is not made up for. */
const RESERVE = statement({
  name: 'run-reserve',
  text: `UPDATE runs SET paced_until = greatest(paced_until, clock_timestamp()) + $2::float8 / rate * interval '1 s'
    WHERE id = $1 AND rate IS NOT NULL
    RETURNING greatest(0, extract(epoch FROM paced_until - $2::float8 / rate * interval '1 s' - clock_timestamp()) * 1000)::float8
      AS "waitMs"`,
  notNull: { waitMs: 'paced_until has just been set, the condition keeps runs without a rate out' },
})

/** What a control call does to the active run, and in which states it may. */
const controlling = (
  states: string,
  change: string,
) => `WITH last AS (SELECT r.id, ${RUN_STATE} AS state FROM runs r WHERE r.campaign_id = $1 ORDER BY r.id DESC LIMIT 1 FOR UPDATE),
    changed AS (UPDATE runs r SET ${change} FROM last WHERE r.id = last.id AND last.state IN (${states}) RETURNING r.id),
    notification AS (SELECT pg_notify('${RUNS_CHANNEL}', '') FROM changed)
    SELECT (SELECT id FROM changed) AS "runId", (SELECT state FROM last) AS state, (SELECT count(*) FROM notification) AS notified`

const ACTIVE = `'fanning-out', 'sending'`
const END = `state = 'cancelled', cancelled_at = now(), settled_at = now()`
const PAUSE = statement({
  name: 'run-pause',
  text: controlling(ACTIVE, 'paused_at = coalesce(r.paused_at, now())'),
}).narrow<{ state: CampaignState | null }>()
const RESUME = statement({ name: 'run-resume', text: controlling(ACTIVE, 'paused_at = NULL') }).narrow<{
  state: CampaignState | null
}>()
const CANCEL = statement({ name: 'run-cancel', text: controlling(`${ACTIVE}, 'scheduled'`, END) }).narrow<{
  state: CampaignState | null
}>()
const UNSCHEDULE = statement({ name: 'run-unschedule', text: controlling(`'scheduled'`, END) }).narrow<{
  state: CampaignState | null
}>()

interface Changed {
  runId: number | null
  state: CampaignState | null
}

function refusedOr(row: Changed | undefined): Started {
  if (!row || row.runId === null) return { refusedBy: row?.state ?? 'created' }
  return { runId: row.runId }
}

export const openRuns = (database: Database) => {
  async function change(statement: Statement<readonly [number], Changed>, campaignId: number): Promise<Started> {
    const [row] = await database.query(statement, [campaignId])
    return refusedOr(row)
  }

  return {
    /** Starts or schedules a run of a campaign that has no active one. */
    start: ({ campaignId, rate, scheduledAt, resend }: NewRun): Promise<Started> =>
      database.transaction(async (connection) => {
        await connection.query(LOCK, [campaignId])
        const [row] = await connection.query(START, [campaignId, rate, scheduledAt, resend])
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

    /** Notes how far active runs are; the rate in the API is taken since the sample before the last. */
    async sample(): Promise<void> {
      await database.query(SAMPLE)
    },

    /** Completes runs all of whose chunks are settled; resolves with them. */
    settle: (): Promise<{ id: number; campaignId: number }[]> => database.query(SETTLE),

    /** Promises `count` pushes of a run with a rate to the caller; resolves with the ms until they may start. */
    async reserve(runId: number, count: number): Promise<number> {
      const [row] = await database.query(RESERVE, [runId, count])
      return row?.waitMs ?? 0
    },

    /** Its chunks that are neither settled nor claimed. */
    open: (runId: number): Promise<OpenChunk[]> => database.query(OPEN, [runId]),

    /** A run that cannot be fanned out. What it has sent stays. */
    async fail(runId: number): Promise<void> {
      await database.query(FAIL, [runId])
    },
  }
}
export type Runs = ReturnType<typeof openRuns>

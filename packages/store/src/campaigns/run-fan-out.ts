// The fan-out: a run's audience into chunks, set-based, partition by partition, each in one transaction.
import type { Platform } from '@push-server/contract'
import type { Database } from '../connection/database.ts'
import { IS_OUTDATED, RESPELLING } from '../devices/respelling.ts'
import { BUCKETS } from '../devices/devices.ts'
import { SET_UP, SET_UP_JOINS } from './audience-planning.ts'
import { FANS_OUT, isChosen, isUnreached, noteReached, type RunAudience } from './audiences.ts'
import type { FanningOutRun } from './runs.ts'
import { LONG } from '../connection/time-limits.ts'
import { NORMAL_TOKEN } from '../devices/token-spelling.ts'
import { statement, type ValuesOf } from '../connection/statement.ts'

export interface FanOutOptions {
  /** So many users make one partition. */
  usersPerPartition: number
  /** Largest chunk of each platform. */
  chunkSizes: Readonly<Record<Platform, number>>
  /** Deliveries still pending after this time are too old, ms. */
  maxAgeMs: number
}

type AudienceRun = Omit<FanningOutRun, 'isPartitioned'>

/** A chunk that was just made. */
export interface FannedOutChunk {
  id: number
  platform: Platform
  total: number
}

/** What the fan-out of one partition made. */
export interface FanOutStep {
  chunks: FannedOutChunk[]
  paused: boolean
}

const LOCK_RUN = statement({
  name: 'fan-out-lock',
  text: `SELECT r.id FROM runs r WHERE r.id = $1 AND ${FANS_OUT} FOR UPDATE`,
})

/** With more than one partition comes a late one: devices may move between them during the fan-out. */
const PARTITION = statement({
  name: 'fan-out-partition',
  text: `WITH audience AS (
      SELECT least(64, greatest(1, ceil(count(*) / $3::float8)))::int AS n FROM campaign_users WHERE campaign_id = $2)
    INSERT INTO run_partitions (run_id, partition, bucket_from, bucket_to, late)
    SELECT $1, p, p * ${BUCKETS} / n, (p + 1) * ${BUCKETS} / n - 1, p = n
    FROM audience, generate_series(0, CASE WHEN n > 1 THEN n ELSE 0 END) AS p
    WHERE NOT EXISTS (SELECT FROM run_partitions WHERE run_id = $1)`,
})

const TAKE = statement({
  name: 'fan-out-take',
  text: `SELECT p.partition, p.bucket_from AS "bucketFrom", p.bucket_to AS "bucketTo", p.late, r.paused_at IS NOT NULL AS paused,
      ${RESPELLING} AS respelling,
      (SELECT count(*) FROM run_partitions o WHERE o.run_id = $1)::int AS partitions
    FROM run_partitions p JOIN runs r ON r.id = p.run_id
    WHERE p.run_id = $1 AND p.cut_at IS NULL AND ${FANS_OUT}
      AND (NOT p.late OR NOT EXISTS (SELECT FROM run_partitions o WHERE o.run_id = $1 AND NOT o.late AND o.cut_at IS NULL))
    ORDER BY p.partition LIMIT 1 FOR UPDATE OF p SKIP LOCKED`,
  notNull: { paused: 'IS NULL is never null', respelling: 'EXISTS is never null', partitions: 'count is never null' },
})

/** Of registrations whose transaction was under way when the run started. */
const SLACK = "interval '15 s'"

/** Devices of the application whose user is in the campaign, one for each platform and token, latest registration first. */
const audienceWhere = (condition: string) => `
    audience AS (
      SELECT DISTINCT ON (d.platform, d.token) d.id, d.user_id, d.platform, d.token, d.environment, d.token_kind
      FROM devices d JOIN campaign_users u ON u.campaign_id = $2 AND u.user_id = d.user_id, run
      WHERE d.application_id = $3 AND d.dropped_at IS NULL AND ${isChosen('run.platforms')} AND ${condition}
      ORDER BY d.platform, d.token, d.registered_at DESC, d.id DESC)`

/**
 * Arrays of one group are in the same order: each aggregate sees the rows of the group alike. By id, so that the devices of a chunk lie
 * near each other when its claim compares them.
 */
const CHUNKS = `
    numbered AS (
      SELECT *, (row_number() OVER (PARTITION BY platform ORDER BY id) - 1) / ($4::jsonb ->> platform)::int AS place
      FROM audience),
    made AS (
      INSERT INTO chunks (application_id, platform, lane, run_id, total, expires_at, device_ids, user_ids, tokens, environments,
        token_kinds)
      SELECT $3, platform, 'campaign', $1, count(*), now() + $5 * interval '1 ms', array_agg(id), array_agg(user_id),
        array_agg(token), CASE WHEN count(environment) > 0 THEN array_agg(environment) END,
        CASE WHEN count(token_kind) > 0 THEN array_agg(token_kind) END
      FROM numbered GROUP BY platform, place
      RETURNING id, platform, total),
    done AS (
      UPDATE run_partitions SET cut_at = now(), devices = (SELECT coalesce(sum(total), 0) FROM made)
      WHERE run_id = $1 AND partition = $6)
    SELECT id, platform, total FROM made ORDER BY id`

const RUN =
  'run AS (SELECT r.started_at, g.platforms FROM runs r JOIN campaigns g ON g.id = r.campaign_id WHERE r.id = $1)'

/** What is registered again during the run is left to the late partition, unless one snapshot sees everything anyway. */
const IN_PARTITION = 'd.bucket BETWEEN $7 AND $8 AND ($9::bool OR d.registered_at < run.started_at)'

/** Neither a device nor a token that a chunk of the run has already. */
const TAKEN = `
    taken AS MATERIALIZED (
      SELECT c.platform, t.id, ${NORMAL_TOKEN('c.platform', 't.token')} AS token
      FROM chunks c, unnest(c.device_ids, c.tokens) AS t(id, token) WHERE c.run_id = $1)`
const NOT_TAKEN = `d.registered_at >= run.started_at - ${SLACK}
        AND NOT EXISTS (SELECT FROM taken t WHERE t.id = d.id)
        AND NOT EXISTS (SELECT FROM taken t WHERE t.platform = d.platform AND t.token = ${NORMAL_TOKEN('d.platform', 'd.token')})`

interface FanOuts {
  /** Of a partition. */
  partition: ReturnType<typeof partitionOf>
  /** Of the late one. */
  late: ReturnType<typeof lateOf>
}

interface Variant {
  /** One of several texts with the same types. */
  name?: string
  conditions: readonly string[]
}

const partitionOf = ({ name, conditions }: Variant) =>
  statement({
    name: 'fan-out',
    ...(name !== undefined && { variant: name }),
    text: `WITH ${RUN},${audienceWhere([IN_PARTITION, ...conditions].join(' AND '))},${CHUNKS}`,
  }).narrow<{ platform: Platform }>()

const lateOf = ({ name, conditions }: Variant) =>
  statement({
    name: 'fan-out-late',
    ...(name !== undefined && { variant: name }),
    text: `WITH ${RUN},${TAKEN},${audienceWhere([NOT_TAKEN, ...conditions].join(' AND '))},${CHUNKS}`,
  }).narrow<{ platform: Platform }>()

const fanOutsOf = (variant: Variant): FanOuts => ({ partition: partitionOf(variant), late: lateOf(variant) })

/** While the respelling is not over: spellings of one token may lie in different partitions. */
const LATEST_SPELLING = `NOT (${IS_OUTDATED})`

/** By the audience, and whether the respelling is over. The text of most runs has no condition that it does not need. */
const FAN_OUTS: Readonly<Record<RunAudience | 'all', { plain: FanOuts; respelling: FanOuts }>> = {
  all: {
    plain: fanOutsOf({ conditions: [] }),
    respelling: fanOutsOf({ name: 'respelling', conditions: [LATEST_SPELLING] }),
  },
  unreached: fanOutsTo('unreached'),
  'unreached-devices': fanOutsTo('unreached-devices'),
}

function fanOutsTo(audience: RunAudience) {
  const conditions = [isUnreached(audience)]
  return {
    plain: fanOutsOf({ name: audience, conditions }),
    respelling: fanOutsOf({ name: `${audience}-respelling`, conditions: [...conditions, LATEST_SPELLING] }),
  }
}

/** Every partition is fanned out: from here on the run completes when its chunks are settled. */
const FINISH = statement({
  name: 'fan-out-finish',
  text: `UPDATE runs r SET state = 'sending' WHERE r.id = $1 AND ${FANS_OUT}
      AND EXISTS (SELECT FROM run_partitions WHERE run_id = $1)
      AND NOT EXISTS (SELECT FROM run_partitions WHERE run_id = $1 AND cut_at IS NULL)`,
})

export const openRunFanOut = (database: Database) => ({
  /** Divides the run once, whichever scheduler comes first. One with an audience waits until the runs before it have ended. */
  partition: (run: AudienceRun, { usersPerPartition }: FanOutOptions): Promise<void> =>
    database.transaction(async (connection) => {
      const [locked] = await connection.query(LOCK_RUN, [run.id])
      if (!locked) return
      if (run.audience !== null && !(await noteReached(connection, run, run.audience))) return
      await connection.query(PARTITION, [run.id, run.campaignId, usersPerPartition])
    }, LONG),

  /** Fans out the next partition that no scheduler has; undefined when there is none. */
  fanOut: (run: AudienceRun, { chunkSizes, maxAgeMs }: FanOutOptions): Promise<FanOutStep | undefined> =>
    database.transaction(async (connection) => {
      const [taken] = await connection.query(TAKE, [run.id])
      if (!taken) return undefined
      const { partition, bucketFrom, bucketTo, late, paused, partitions, respelling } = taken
      await connection.query(SET_UP)
      if (late) await connection.query(SET_UP_JOINS)
      const common: ValuesOf<'fan-out-late'> = [
        run.id,
        run.campaignId,
        run.applicationId,
        JSON.stringify(chunkSizes),
        maxAgeMs,
        partition,
      ]
      const fanOuts = FAN_OUTS[run.audience ?? 'all'][respelling ? 'respelling' : 'plain']
      const chunks = late
        ? await connection.query(fanOuts.late, common)
        : await connection.query(fanOuts.partition, [...common, bucketFrom, bucketTo, partitions === 1])
      return { chunks, paused }
    }, LONG),

  /** Moves the run on when every partition is fanned out. */
  async finish(runId: number): Promise<void> {
    await database.query(FINISH, [runId])
  },
})
export type RunFanOut = ReturnType<typeof openRunFanOut>

// Whom a run goes to: all users of its campaign, or those that the runs since the last one to all have not reached. What these runs have
// reached is read from their chunks.
import type { Platform } from '@push-server/contract'
import { IS_OPEN } from '../chunks/open-chunks.ts'
import type { Database, Queryable } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'
import { SET_UP, SET_UP_JOINS } from './audience-planning.ts'

/** `unreached`: users without any push that was sent. `unreached-devices`: devices without one. */
export const RUN_AUDIENCES = ['unreached', 'unreached-devices'] as const
export type RunAudience = (typeof RUN_AUDIENCES)[number]

/**
 * Whether the run `r` is being fanned out, as SQL. One with an audience is stored as scheduled, without a time, until it is fanned out:
 * schedulers of the version before, which know no audience, leave it alone, and gateways of that version take it for active.
 */
export const FANS_OUT = `(r.state = 'fanning-out' OR r.state = 'scheduled' AND r.audience IS NOT NULL)`

/** The state of the run `r` as it is shown. */
export const RUN_STATE = `CASE WHEN ${FANS_OUT} THEN 'fanning-out' ELSE r.state END`

/** Runs of the campaign before `runId`, from the last one to all. One that never started has reached nobody. */
const base = (campaignId: string, runId: string) => `base AS MATERIALIZED (
      SELECT r.id FROM runs r WHERE r.campaign_id = ${campaignId} AND r.id < ${runId} AND r.id >= coalesce((
        SELECT max(a.id) FROM runs a WHERE a.campaign_id = ${campaignId} AND a.id < ${runId} AND a.audience IS NULL
          AND a.started_at IS NOT NULL), 0))`

/**
 * What tells apart those that were reached. Chunks that processes of the version before have settled with nothing but pushes that were
 * sent have lost their users: those of their devices count.
 */
const NAMES: Readonly<Record<RunAudience, string>> = {
  unreached: 'coalesce(t.user_id, (SELECT v.user_id FROM devices v WHERE v.id = t.device_id))',
  'unreached-devices': 't.device_id::text',
}
/** The same of a device `d` of the audience. */
const NAME_OF: Readonly<Record<RunAudience, string>> = { unreached: 'd.user_id', 'unreached-devices': 'd.id::text' }

/** Names of whom the runs of `base` have reached, and nulls; a byte of 1 stands for a push that was sent. */
const reached = (audience: RunAudience) => `SELECT DISTINCT ${NAMES[audience]} AS name
      FROM base JOIN chunks c ON c.run_id = base.id AND c.sent > 0
      CROSS JOIN LATERAL unnest(c.device_ids, c.user_ids) WITH ORDINALITY AS t(device_id, user_id, place)
      WHERE get_byte(c.outcomes, t.place::int - 1) = 1`

const NOTE_REACHED = Object.fromEntries(
  RUN_AUDIENCES.map((audience) => [
    audience,
    statement({
      name: 'run-note-reached',
      variant: audience,
      text: `WITH ${base('$2', '$1')} INSERT INTO run_reached (run_id, name) SELECT $1, name FROM (${reached(audience)}) AS r
        WHERE name IS NOT NULL ON CONFLICT DO NOTHING`,
    }),
  ]),
)

/** Whether workers still have pushes of those runs in hand, whose outcomes are not known. */
const OPEN = statement({
  name: 'run-base-open',
  text: `WITH ${base('$2', '$1')}
    SELECT EXISTS (SELECT FROM base JOIN chunks c ON c.run_id = base.id WHERE ${IS_OPEN}) AS "isOpen"`,
  notNull: { isOpen: 'EXISTS is never null' },
})

/** Of the device `d` of the run $1, as SQL: the run has an audience, and it was not reached. */
export const isUnreached = (audience: RunAudience) =>
  `NOT EXISTS (SELECT FROM run_reached x WHERE x.run_id = $1 AND x.name = ${NAME_OF[audience]})`

/** Of runs that are fanned out or cancelled. */
const FORGET = statement({
  name: 'run-forget-reached',
  text: `DELETE FROM run_reached WHERE (run_id, name) IN (
      SELECT x.run_id, x.name FROM runs r JOIN run_reached x ON x.run_id = r.id
      WHERE r.audience IS NOT NULL AND r.state <> 'scheduled' LIMIT $1 FOR UPDATE OF x SKIP LOCKED)`,
})

/** Whether the campaign is for the platform of the device `d`, as SQL; null = all. */
export const isChosen = (platforms: string) => `(${platforms} IS NULL OR d.platform = ANY(${platforms}))`

/** As the fan-out chooses them: of several devices with one token the one that was registered last. */
const counting = (condition: string) => `audience AS MATERIALIZED (
      SELECT DISTINCT ON (d.platform, d.token) d.platform, d.user_id
      FROM devices d JOIN campaign_users u ON u.campaign_id = $1 AND u.user_id = d.user_id
      JOIN campaigns g ON g.id = u.campaign_id AND g.application_id = d.application_id
      WHERE d.dropped_at IS NULL AND ${isChosen('g.platforms')} AND ${condition}
      ORDER BY d.platform, d.token, d.registered_at DESC, d.id DESC)
    SELECT platform, count(*)::int AS devices, (SELECT count(DISTINCT user_id)::int FROM audience) AS users FROM audience GROUP BY platform`

const NO_RUN_YET = '9223372036854775807'

const COUNT_ALL = statement({
  name: 'campaign-audience',
  variant: 'all',
  text: `WITH ${counting('true')}`,
  notNull: { devices: 'count is never null', users: 'count is never null' },
}).narrow<{ platform: Platform }>()

const countUnreached = (audience: RunAudience) =>
  statement({
    name: 'campaign-audience',
    variant: audience,
    text: `WITH ${base('$1', NO_RUN_YET)}, reached AS MATERIALIZED (${reached(audience)}),
    ${counting(`NOT EXISTS (SELECT FROM reached x WHERE x.name = ${NAME_OF[audience]})`)}`,
    notNull: { devices: 'count is never null', users: 'count is never null' },
  }).narrow<{ platform: Platform }>()

const COUNTS = {
  all: COUNT_ALL,
  unreached: countUnreached('unreached'),
  'unreached-devices': countUnreached('unreached-devices'),
}

export interface AudienceCount {
  platform: Platform
  devices: number
  /** Of all platforms together. */
  users: number
}

/**
 * Notes whom a run with an audience leaves out; false while that is not known yet. Within the transaction that divides the run.
 */
export async function noteReached(
  connection: Queryable,
  { id, campaignId }: { id: number; campaignId: number },
  audience: RunAudience,
): Promise<boolean> {
  const [row] = await connection.query(OPEN, [id, campaignId])
  if (!row || row.isOpen) return false
  const note = NOTE_REACHED[audience]
  if (!note) throw new Error(`There is no audience ${audience}`)
  await connection.query(note, [id, campaignId])
  return true
}

export const openAudiences = (database: Database) => ({
  /** How many a run would reach if it were fanned out now, by platform; a platform without a device is left out. */
  countAudience: (campaignId: number, audience: RunAudience | 'all'): Promise<AudienceCount[]> =>
    database.transaction(async (connection) => {
      await connection.query(SET_UP)
      if (audience !== 'all') await connection.query(SET_UP_JOINS)
      return connection.query(COUNTS[audience], [campaignId])
    }),

  /** Removes up to `limit` notes that are not required any more. */
  async forgetReached(limit: number): Promise<void> {
    await database.query(FORGET, [limit])
  },
})

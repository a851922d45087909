// The respelling: brings iOS tokens of earlier versions into the spelling that is compared. Rows from before the migration are
// visited once, by their ids; rows that processes of earlier versions still write are noted by a trigger. It is over while
// neither is left. Every step is one transaction, so it may be killed at any moment, and any number of processes may take part.
import { normaliseToken } from '@push-server/contract'
import { isContended } from '../connection/errors.ts'
import type { Database, Queryable } from '../connection/database.ts'
import { bucketOf } from './devices.ts'
import { EVENT_SOURCE, LOG_EVENTS } from './events.ts'
import { WALK_STEP, walkOn } from '../connection/table-walks.ts'
import { NORMAL_TOKEN, TOKEN_SPELLINGS } from './token-spelling.ts'
import { statement } from '../connection/statement.ts'

const WALK = 'devices'

/** Whether rows in another spelling may be left. Both tables are tiny as a rule. */
export const RESPELLING = `(EXISTS (SELECT FROM table_walks WHERE name = '${WALK}') OR EXISTS (SELECT FROM device_respellings))`

/**
 * Whether device `d` stands under a spelling of its token that another one has replaced: the phone is that of the spelling
 * which was registered last. As the respelling judges, for what reads devices before it is over.
 */
export const IS_OUTDATED = `d.platform = 'ios' AND d.token <> (
      SELECT o.token FROM devices o
      WHERE o.application_id = d.application_id AND o.platform = 'ios'
        AND o.token = ANY(${TOKEN_SPELLINGS('d.platform', 'd.token')})
      ORDER BY o.registered_at DESC, o.id DESC LIMIT 1)`

const PENDING = statement({
  name: 'respelling-pending',
  text: `SELECT ${RESPELLING} AS pending`,
  notNull: { pending: 'EXISTS is never null' },
})

/**
 * A respelled device changes its bucket, and would be missed or met twice by a run whose partitions are ranges of them. So no
 * step is taken while a run fans out, and no process divides a run, or ends a partition, during a step.
 */
const HOLD_FAN_OUTS = statement({
  name: 'respelling-hold-fan-outs',
  text: 'LOCK TABLE run_partitions IN SHARE MODE NOWAIT',
})
/** A run that has partitions is fanned out; one with an audience is scheduled meanwhile. */
const FANNING_OUT = statement({
  name: 'respelling-fanning-out',
  text: `SELECT EXISTS (SELECT FROM runs r WHERE r.state IN ('scheduled', 'fanning-out')
    AND EXISTS (SELECT FROM run_partitions p WHERE p.run_id = r.id)) AS "fanningOut"`,
  notNull: { fanningOut: 'EXISTS is never null' },
})

const NOTED = statement({
  name: 'respelling-noted',
  text: 'SELECT device_id AS id FROM device_respellings ORDER BY device_id LIMIT $1 FOR UPDATE SKIP LOCKED',
})
/** Before a note goes: a process that writes the device just now is waited for, or waits, and notes it anew. */
const LOCK_NOTED = statement({
  name: 'respelling-lock-noted',
  text: 'SELECT id FROM devices WHERE id = ANY($1) ORDER BY id FOR UPDATE',
})
const DONE = statement({
  name: 'respelling-done',
  text: 'DELETE FROM device_respellings WHERE device_id = ANY($1)',
})
const VISIT = statement({
  name: 'respelling-visit',
  text: `SELECT d.id, d.token <> ${NORMAL_TOKEN('d.platform', 'd.token')} AS old FROM devices d
    WHERE d.id > $1 ORDER BY d.id LIMIT $2`,
  notNull: { old: 'computed from columns that are not null' },
})

/** A few thousand tokens are looked up; left to itself the planner may read the whole table for them. */
const SET_UP = statement({ name: 'respelling-set-up', text: "SELECT set_config('enable_seqscan', 'off', true)" })

/**
 * Every row of a token that devices $1 have, in the order in which registrations lock. A registration that is under way on
 * one of them is waited for; what it has respelled by then no longer matches.
 */
const LOCK = statement({
  name: 'respelling-lock',
  text: `SELECT d.id, d.application_id AS "applicationId", d.token, d.registered_at AS "registeredAt"
    FROM (
      SELECT DISTINCT o.application_id, spelling.token
      FROM devices o, unnest(${TOKEN_SPELLINGS('o.platform', 'o.token')}) AS spelling (token)
      WHERE o.id = ANY($1) AND o.token <> ${NORMAL_TOKEN('o.platform', 'o.token')}) AS old
    JOIN devices d ON d.application_id = old.application_id AND d.token = old.token AND d.platform = 'ios'
    ORDER BY d.id FOR UPDATE OF d`,
})
const REMOVE = statement({
  name: 'respelling-remove',
  text: `WITH gone AS (DELETE FROM devices d WHERE id = ANY($1) RETURNING ${EVENT_SOURCE('d')})
    ${LOG_EVENTS('removed', 'gone', "'OtherSpelling'")}`,
})
const RESPELL = statement({
  name: 'respelling-respell',
  text: `UPDATE devices d SET token = n.token, bucket = n.bucket
    FROM unnest($1::bigint[], $2::text[], $3::int[]) AS n (id, token, bucket) WHERE d.id = n.id`,
})

export interface SpelledDevice {
  id: number
  applicationId: number
  token: string
  registeredAt: Date
}

export interface Respelling {
  respelled: { id: number; token: string }[]
  /** Ids. */
  removed: number[]
}

/** Of the spellings of a token the rows of the one that was registered last stay, all of them. Pure. */
export function respellingOf(devices: readonly SpelledDevice[]): Respelling {
  const changes: Respelling = { respelled: [], removed: [] }
  const normal = ({ token }: SpelledDevice) => normaliseToken('ios', token)
  for (const same of Map.groupBy(devices, (device) => `${device.applicationId}/${normal(device)}`).values()) {
    const last = same.reduce(later)
    for (const device of same)
      if (device.token !== last.token) changes.removed.push(device.id)
      else if (device.token !== normal(device)) changes.respelled.push({ id: device.id, token: normal(device) })
  }
  return changes
}

const later = (a: SpelledDevice, b: SpelledDevice) =>
  (a.registeredAt.getTime() - b.registeredAt.getTime() || a.id - b.id) > 0 ? a : b

export interface RespellingCounts {
  respelled: number
  removed: number
}

async function respell(connection: Queryable, ids: readonly number[]): Promise<RespellingCounts> {
  if (ids.length === 0) return { respelled: 0, removed: 0 }
  await connection.query(SET_UP)
  const { respelled, removed } = respellingOf(await connection.query(LOCK, [ids]))
  if (removed.length > 0) await connection.query(REMOVE, [removed])
  if (respelled.length > 0)
    await connection.query(RESPELL, [
      respelled.map(({ id }) => id),
      respelled.map(({ token }) => token),
      respelled.map(({ token }) => bucketOf(token)),
    ])
  return { respelled: respelled.length, removed: removed.length }
}

export const openDeviceRespelling = (database: Database) => ({
  /** One step; undefined when there is nothing to do, or when something stands in its way: a run fans out, another step is taken. */
  async step(rows = WALK_STEP): Promise<RespellingCounts | undefined> {
    const [state] = await database.query(PENDING)
    if (!state?.pending) return undefined
    return database
      .transaction((connection) => takeStep(connection, rows))
      .catch((error: unknown) => (isLocked(error) || isContended(error) ? undefined : Promise.reject(error)))
  },
})

async function takeStep(connection: Queryable, rows: number): Promise<RespellingCounts | undefined> {
  await connection.query(HOLD_FAN_OUTS)
  const [run] = await connection.query(FANNING_OUT)
  if (run?.fanningOut) return undefined
  const noted = (await connection.query(NOTED, [rows])).map(({ id }) => id)
  if (noted.length > 0) {
    await connection.query(LOCK_NOTED, [noted])
    await connection.query(DONE, [noted])
    return respell(connection, noted)
  }
  let counts: RespellingCounts = { respelled: 0, removed: 0 }
  const walked = await walkOn(connection, WALK, async (after) => {
    const visited = await connection.query(VISIT, [Number(after), rows])
    counts = await respell(
      connection,
      visited.flatMap(({ id, old }) => (old ? id : [])),
    )
    return visited.at(-1)?.id.toString()
  })
  return walked ? counts : undefined
}

/** A run is being divided or fanned out at this moment. */
const isLocked = (error: unknown) => (error as { code?: string }).code === '55P03'

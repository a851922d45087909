// The log of devices, for whoever has to explain what became of one. The statement that changes devices writes their events, all with
// one INSERT; an event holds no token. Processes of earlier versions write none.
import type { DeviceEventName, Page, Platform } from '@push-server/contract'
import type { Database } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'
import { NORMAL_TOKEN } from './token-spelling.ts'

/** Columns that a source of events has: those of a device. */
export const EVENT_SOURCE = (device: string) =>
  ['id', 'application_id', 'user_id', 'activation_id', 'platform', 'active']
    .map((column) => `${device}.${column}`)
    .join(', ')

const COLUMNS = 'device_id, application_id, user_id, activation_id, platform, active, event, reason'

/**
 * An INSERT of one event for each row of `source`, a relation with the columns of `EVENT_SOURCE`. `reason` is SQL over it; a
 * text in quotes for a fixed one.
 */
export const LOG_EVENTS = (event: DeviceEventName, source: string, reason = 'NULL') =>
  `INSERT INTO device_events (${COLUMNS}) SELECT ${EVENT_SOURCE('s')}, '${event}', ${reason} FROM ${source} AS s`

/** The same for an import, whose rows have `is_new` as well. As of the start of the statement the table has the users before it. */
export const LOG_IMPORTED = (source: string) =>
  `INSERT INTO device_events (${COLUMNS}, former_user_id)
      SELECT ${EVENT_SOURCE('s')}, 'imported', CASE WHEN s.is_new THEN 'Added' ELSE 'Changed' END,
        (SELECT f.user_id FROM devices f WHERE f.id = s.id AND f.user_id <> s.user_id)
      FROM ${source} AS s`

/** For RETURNING of an UPDATE of devices `d` from their former rows `f`: what `LOG_CHANGES` reads. */
export const CHANGED_DEVICE = `${EVENT_SOURCE('d')}, d.environment, f.application_id AS former_application_id,
      f.user_id AS former_user_id, f.activation_id AS former_activation_id, f.platform AS former_platform,
      f.active AS former_active, f.environment AS former_environment, f.dropped_at IS NOT NULL AS was_dropped,
      f.platform <> d.platform OR ${NORMAL_TOKEN('f.platform', 'f.token')} <> ${NORMAL_TOKEN('d.platform', 'd.token')} AS has_new_token`

/** Each kind of change that a registration may make to a row: what the event says, and when. Several may apply to one row. */
const CHANGES: readonly { event: DeviceEventName; reason?: string; isFormer?: true; when: string }[] = [
  // In the log of each application this reads like a device that went, and one that came.
  { event: 'removed', reason: 'OtherApplication', isFormer: true, when: 'c.application_id <> c.former_application_id' },
  { event: 'registered', when: 'c.application_id <> c.former_application_id' },
  {
    event: 'taken-over',
    when: 'c.stays AND (c.user_id, c.activation_id) <> (c.former_user_id, c.former_activation_id)',
  },
  { event: 'token-changed', when: 'c.stays AND c.has_new_token' },
  { event: 'restored', reason: 'Registration', when: 'c.stays AND c.was_dropped' },
  { event: 'status-changed', reason: 'Registration', when: 'c.stays AND c.active <> c.former_active' },
  {
    event: 'registered',
    reason: 'OtherEnvironment',
    when: 'c.stays AND NOT c.has_new_token AND c.environment IS DISTINCT FROM c.former_environment',
  },
]

const changeRow = ({ event, reason, isFormer, when }: (typeof CHANGES)[number], place: number) => {
  const was = isFormer ? 'former_' : ''
  const given = ['application_id', 'user_id', 'activation_id', 'platform', 'active'].map((name) => `c.${was}${name}`)
  const former = event === 'taken-over' ? ['c.former_user_id', 'c.former_activation_id'] : ['NULL', 'NULL']
  return `(${[place, ...given, `'${event}'`, reason ? `'${reason}'` : 'NULL', ...former, when].join(', ')})`
}

/** An INSERT of what became of each row of `source`, which has the columns of `CHANGED_DEVICE`. A row that stays as it was has no event. */
export const LOG_CHANGES = (
  source: string,
) => `INSERT INTO device_events (${COLUMNS}, former_user_id, former_activation_id)
    SELECT c.id, e.application_id, e.user_id, e.activation_id, e.platform, e.active, e.event, e.reason,
      nullif(e.former_user_id, e.user_id), nullif(e.former_activation_id, e.activation_id)
    FROM (SELECT s.*, s.application_id = s.former_application_id AS stays FROM ${source} AS s) AS c
    CROSS JOIN LATERAL (VALUES
      ${CHANGES.map(changeRow).join(',\n      ')})
      AS e (place, application_id, user_id, activation_id, platform, active, event, reason, former_user_id, former_activation_id, applies)
    WHERE e.applies ORDER BY c.id, e.place`

export interface DeviceEventRow {
  event: DeviceEventName
  createdAt: Date
  userId: string
  activationId: string
  platform: Platform
  active: boolean
  reason: string | null
  /** Whose it was before, where that differs. */
  formerUserId: string | null
  formerActivationId: string | null
}

/** Also of devices that were the user's before, up to the event that took them. */
const LIST = statement({
  name: 'device-event-list',
  text: `SELECT event, created_at AS "createdAt", user_id AS "userId", activation_id AS "activationId", platform, active, reason,
      former_user_id AS "formerUserId", former_activation_id AS "formerActivationId"
    FROM device_events WHERE application_id = $1 AND (user_id = $2 OR former_user_id = $2)
    ORDER BY id DESC LIMIT $3 OFFSET $4`,
}).narrow<{ event: DeviceEventName; platform: Platform }>()

export const openDeviceEvents = (database: Database) => ({
  /** Newest first. */
  list: (applicationId: number, userId: string, { page, size }: Page): Promise<DeviceEventRow[]> =>
    database.query(LIST, [applicationId, userId, size, page * size]),
})

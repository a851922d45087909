// Devices: who registered which token, under which activation.
import type { ActivationStatus, Platform, TokenKind } from '@push-server/contract'
import { crc32 } from 'node:zlib'
import { keepActivations, type NewActivation } from './activations.ts'
import { isContended } from '../connection/errors.ts'
import type { Database, Queryable } from '../connection/database.ts'
import { CHANGED_DEVICE, EVENT_SOURCE, LOG_CHANGES, LOG_EVENTS } from './events.ts'
import { changesFor, type Registration } from './registration.ts'
import { HAS_TOKEN, spellingsOf } from './token-spelling.ts'
import { registering } from '../connection/time-limits.ts'
import { statement, type ValuesOf } from '../connection/statement.ts'

/** What a registration is about, as far as it is known before activations are looked up. */
export interface Prospect {
  applicationId: number
  /** None of the activations has a row, and several others have the token. */
  shared: boolean
}

export interface DeviceRow {
  activationId: string
  platform: Platform
  environment: string | null
  token: string
  tokenKind: TokenKind | null
  active: boolean
  registeredAt: Date
  droppedAt: Date | null
  dropReason: string | null
  /** Its token was refused by credentials that have not been proven since; null = it was not. */
  doubtfulSince: Date | null
  doubtReason: string | null
}

/** How many ranges a run can divide its audience into. */
export const BUCKETS = 1024

/** Spreads tokens evenly; the same token always falls into the same bucket. */
export const bucketOf = (token: string) => crc32(token) % BUCKETS

/**
 * Two registrations that touch the same activation or the same token go one after the other. Each spelling of a token is
 * locked, as processes of earlier versions lock the one that they were given.
 */
const LOCK = statement({
  name: 'device-lock',
  text: `SELECT pg_advisory_xact_lock(key) FROM (
      SELECT DISTINCT hashtextextended(name, 0) AS key FROM unnest($1::text[]) AS name ORDER BY key) AS keys`,
})

const PROSPECT = statement({
  name: 'device-prospect',
  text: `SELECT a.id AS "applicationId",
      NOT EXISTS (SELECT FROM devices d WHERE d.activation_id = ANY($2)) AND
      (SELECT count(*) FROM (
        SELECT FROM devices d WHERE d.application_id = a.id AND ${HAS_TOKEN('$3', '$4')} AND d.dropped_at IS NULL
        LIMIT 2) AS with_token
      ) > 1 AS shared
    FROM applications a WHERE a.app_id = $1`,
  notNull: { shared: 'EXISTS and count are never null' },
})

/** Locked: a row that is just leaving the token is waited for, and then no longer matches. */
const FIND = statement({
  name: 'device-find',
  text: `SELECT d.id, d.activation_id AS "activationId" FROM devices d
    WHERE d.activation_id = ANY($2) OR (d.application_id = $1 AND ${HAS_TOKEN('$3', '$4')} AND d.dropped_at IS NULL)
    ORDER BY d.id FOR UPDATE`,
})

/** The columns of `valuesOf`. */
const GIVEN =
  '$1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::int[], $9::text[]'

const INSERT = statement({
  name: 'device-insert',
  text: `WITH made AS (
      INSERT INTO devices AS d (application_id, activation_id, user_id, platform, environment, token, active, bucket,
        token_kind)
      SELECT * FROM unnest(${GIVEN}) RETURNING ${EVENT_SOURCE('d')})
    ${LOG_EVENTS('registered', 'made')}`,
  nullableElements: [5, 9],
})

/** The former rows are those that FIND has locked. */
const UPDATE = statement({
  name: 'device-update',
  text: `WITH changed AS (
      UPDATE devices d SET application_id = g.application_id, activation_id = g.activation_id, user_id = g.user_id,
        platform = g.platform, environment = g.environment, token = g.token, active = g.active, bucket = g.bucket,
        token_kind = g.token_kind, registered_at = now(), dropped_at = NULL, drop_reason = NULL, drop_doubtful = false
      FROM unnest(${GIVEN}, $10::bigint[])
        AS g (application_id, activation_id, user_id, platform, environment, token, active, bucket, token_kind, id)
        JOIN devices f ON f.id = g.id
      WHERE d.id = g.id RETURNING ${CHANGED_DEVICE})
    ${LOG_CHANGES('changed')}`,
  nullableElements: [5, 9],
})

const DISCARD = statement({
  name: 'device-discard',
  text: `WITH gone AS (DELETE FROM devices d WHERE id = ANY($1) RETURNING ${EVENT_SOURCE('d')})
    ${LOG_EVENTS('removed', 'gone', "'TokenTakenOver'")}`,
})

const REMOVE = statement({
  name: 'device-remove',
  text: `WITH gone AS (
      DELETE FROM devices d USING applications a
      WHERE a.app_id = $1 AND d.application_id = a.id AND ${HAS_TOKEN('$2', '$3')} RETURNING ${EVENT_SOURCE('d')})
    ${LOG_EVENTS('removed', 'gone', "'Requested'")}`,
})

/** The registry of activations learns it as well, where it knows this one. */
const SET_STATUS = statement({
  name: 'device-set-status',
  text: `WITH known AS (UPDATE activations SET status = $2, updated_at = now() WHERE activation_id = $1),
    former AS MATERIALIZED (SELECT id, active FROM devices WHERE activation_id = $1 FOR UPDATE),
    changed AS (
      UPDATE devices d SET active = $2 = 'ACTIVE' FROM former f
      WHERE d.id = f.id AND f.active <> ($2 = 'ACTIVE') RETURNING ${EVENT_SOURCE('d')})
    ${LOG_EVENTS('status-changed', 'changed', '$2')}`,
})

const LIST = statement({
  name: 'device-list',
  text: `SELECT d.activation_id AS "activationId", d.platform, d.environment, d.token,
      d.token_kind AS "tokenKind", d.active, d.registered_at AS "registeredAt", d.dropped_at AS "droppedAt", d.drop_reason AS "dropReason",
      t.since AS "doubtfulSince", t.reason AS "doubtReason"
    FROM devices d LEFT JOIN doubtful_tokens t ON t.device_id = d.id AND t.since >= d.registered_at AND t.since > now() - interval '1 day'
    WHERE d.application_id = $1 AND d.user_id = $2
    ORDER BY d.registered_at DESC, d.id DESC LIMIT $3 OFFSET $4`,
}).narrow<{ platform: Platform; tokenKind: TokenKind | null }>()

const valuesOf = (devices: readonly Registration[]): ValuesOf<'device-insert'> => [
  devices.map((device) => device.applicationId),
  devices.map((device) => device.activationId),
  devices.map((device) => device.userId),
  devices.map((device) => device.platform),
  devices.map((device) => device.environment),
  devices.map((device) => device.token),
  devices.map((device) => device.active),
  devices.map((device) => bucketOf(device.token)),
  devices.map((device) => device.tokenKind ?? null),
]

export interface RegisterOptions {
  /** When several rows of other activations have the token: they make way, or nothing is changed. */
  several: 'replace' | 'refuse'
  /** What the registry of activations learns with it. */
  keep?: readonly NewActivation[]
}

async function registerOnce(
  connection: Queryable,
  devices: readonly Registration[],
  { several, keep = [] }: RegisterOptions,
): Promise<'registered' | 'shared'> {
  const [first] = devices
  if (!first) return 'registered'
  const { applicationId, platform, token } = first
  const activationIds = devices.map((device) => device.activationId)
  const spellings = spellingsOf(platform, token)
  const locked = spellings.map((spelling) => `token/${applicationId}/${spelling}`)
  await connection.query(LOCK, [[...activationIds.map((id) => `activation/${id}`), ...locked]])
  const found = await connection.query(FIND, [applicationId, activationIds, spellings, token])
  const changes = changesFor(devices, found, several)
  if (changes === 'shared') return 'shared'
  const { takenOver, made, removed } = changes
  if (removed.length > 0) await connection.query(DISCARD, [removed])
  if (takenOver.length > 0)
    await connection.query(UPDATE, [...valuesOf(takenOver.map(({ device }) => device)), takenOver.map(({ id }) => id)])
  if (made.length > 0) await connection.query(INSERT, valuesOf(made))
  await keepActivations(connection, keep)
  return 'registered'
}

export const openDevices = (database: Database) => ({
  /** Undefined when there is no such application. */
  async prospect(
    appId: string,
    activationIds: readonly string[],
    { platform, token }: Pick<Registration, 'platform' | 'token'>,
  ): Promise<Prospect | undefined> {
    const [row] = await database.query(PROSPECT, [appId, activationIds, spellingsOf(platform, token), token])
    return row
  },

  /**
   * Registers a device for one activation or several: `devices` differ in nothing but activation, user and activity. Look-up
   * order: by activation in any application, then by token in this one. 'shared' changes nothing.
   */
  async register(devices: readonly Registration[], options: RegisterOptions): Promise<'registered' | 'shared'> {
    const limits = registering(database.limits)
    const attempt = () => database.transaction((connection) => registerOnce(connection, devices, options), limits)
    // An import may bring the same activations at the same time; seen anew, its rows are taken over.
    return attempt().catch((error: unknown) => (isContended(error) ? attempt() : Promise.reject(error)))
  },

  /** Makes the activation's device active or not. */
  async setStatus(activationId: string, status: ActivationStatus): Promise<void> {
    await database.query(SET_STATUS, [activationId, status])
  },

  /** Registered last comes first; dropped ones stand among them. */
  list: (applicationId: number, userId: string, { page, size }: { page: number; size: number }) =>
    database.query(LIST, [applicationId, userId, size, page * size]),

  /** Removes every registration of the token, whatever the platform; an unknown application or token is no error. */
  async remove(appId: string, token: string): Promise<void> {
    await database.query(REMOVE, [appId, spellingsOf('ios', token), token])
  },
})
export type Devices = ReturnType<typeof openDevices>

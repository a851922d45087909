// Devices: who registered which token, under which activation.
import type { Platform } from '@push-server/contract'
import { crc32 } from 'node:zlib'
import type { Database, Queryable, Statement } from './database.ts'

export interface Registration {
  applicationId: number
  activationId: string
  userId: string
  platform: Platform
  environment: string | null
  token: string
  active: boolean
}

/** How many ranges a run can cut its audience into. */
export const BUCKETS = 1024

/** Spreads tokens evenly; the same token always falls into the same bucket. */
export const bucketOf = (token: string) => crc32(token) % BUCKETS

/** Two registrations that touch the same activation or the same token go one after the other. */
const LOCK: Statement = {
  name: 'device-lock',
  text: `SELECT pg_advisory_xact_lock(key) FROM (
      SELECT DISTINCT hashtextextended(name, 0) AS key FROM unnest($1::text[]) AS name ORDER BY key) AS keys`,
}

/** Locked: a row that is just leaving the token is waited for, and then no longer matches. */
const FIND: Statement = {
  name: 'device-find',
  text: `SELECT id, activation_id = $2 AS "byActivation" FROM devices
    WHERE activation_id = $2 OR (application_id = $1 AND token = $3 AND dropped_at IS NULL) ORDER BY id FOR UPDATE`,
}

const INSERT: Statement = {
  name: 'device-insert',
  text: `INSERT INTO devices (application_id, activation_id, user_id, platform, environment, token, active, bucket)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
}

const UPDATE: Statement = {
  name: 'device-update',
  text: `UPDATE devices SET application_id = $1, activation_id = $2, user_id = $3, platform = $4, environment = $5,
      token = $6, active = $7, bucket = $8, registered_at = now(), dropped_at = NULL, drop_reason = NULL, drop_doubtful = false
    WHERE id = $9`,
}

const REMOVE: Statement = {
  name: 'device-remove',
  text: `DELETE FROM devices d USING applications a WHERE a.app_id = $1 AND d.application_id = a.id AND d.token = $2`,
}

const valuesOf = (device: Registration) => [
  device.applicationId,
  device.activationId,
  device.userId,
  device.platform,
  device.environment,
  device.token,
  device.active,
  bucketOf(device.token),
]

/** The row to take over: the activation's own, else the only one with the token. */
async function find(connection: Queryable, device: Registration): Promise<number | 'none' | 'shared'> {
  const rows = await connection.query<{ id: number; byActivation: boolean }>(FIND, [
    device.applicationId,
    device.activationId,
    device.token,
  ])
  const own = rows.find((row) => row.byActivation)
  if (own) return own.id
  const [first, second] = rows
  return first === undefined ? 'none' : second === undefined ? first.id : 'shared'
}

export const openDevices = (database: Database) => ({
  /**
   * Registers one activation's device. Look-up order: by activation in any application, then by token in this one.
   * Answers 'shared', and changes nothing, when several rows of other activations have the token.
   */
  register: (device: Registration): Promise<'registered' | 'shared'> =>
    database.transaction(async (connection) => {
      await connection.query(LOCK, [
        [`activation/${device.activationId}`, `token/${device.applicationId}/${device.token}`],
      ])
      const found = await find(connection, device)
      if (found === 'shared') return 'shared'
      if (found === 'none') await connection.query(INSERT, valuesOf(device))
      else await connection.query(UPDATE, [...valuesOf(device), found])
      return 'registered'
    }),

  /** Removes every registration of the token; an unknown application or token is no fault. */
  async remove(appId: string, token: string): Promise<void> {
    await database.query(REMOVE, [appId, token])
  },
})
export type Devices = ReturnType<typeof openDevices>

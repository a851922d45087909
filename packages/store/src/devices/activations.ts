// The local registry of activations: which user each belongs to, as registrations said. An activation is bound to the row of
// its application; the name stands beside it for processes of earlier versions.
import type { ActivationStatus } from '@push-server/contract'
import type { Database, Queryable } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'

export interface ActivationRow {
  activationId: string
  userId: string
  status: ActivationStatus
  /** Name of the application that it belongs to; null belongs to any. */
  applicationId: string | null
}

export interface NewActivation extends ActivationRow {
  /** The application's row, where it belongs to one. */
  applicationRow: number | null
}

/**
 * The application that `v` belongs to. Without a row the activation comes from a process of an earlier version: an application
 * of the name was there before it, or is another one.
 */
export const ACTIVATION_APPLICATION = `LEFT JOIN applications r ON r.id = v.application_row
      LEFT JOIN applications n ON v.application_row IS NULL AND n.app_id = v.application_id AND n.created_at <= v.created_at`

/** One whose application was removed is forgotten. */
const FIND = statement({
  name: 'activations-find',
  text: `SELECT activation_id AS "activationId", user_id AS "userId", status, v.application_id AS "applicationId"
    FROM activations v ${ACTIVATION_APPLICATION}
    WHERE v.activation_id = ANY($1) AND (v.application_id IS NULL OR coalesce(r.app_id, n.app_id) IS NOT NULL)`,
}).narrow<ActivationRow>()

/** In one order, so that two that keep the same ones never wait for each other. */
const KEEP = statement({
  name: 'activations-keep',
  text: `INSERT INTO activations (activation_id, user_id, status, application_id, application_row)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[])
      AS given (id, user_id, status, application_id, application_row)
    ORDER BY id
    ON CONFLICT (activation_id) DO UPDATE SET user_id = EXCLUDED.user_id, status = EXCLUDED.status,
      application_id = EXCLUDED.application_id, application_row = EXCLUDED.application_row, updated_at = now()`,
  nullableElements: [4, 5],
})

/** Creates them, or binds them to another user or status; each at most once. */
export async function keepActivations(connection: Queryable, rows: readonly NewActivation[]): Promise<void> {
  if (rows.length === 0) return
  await connection.query(KEEP, [
    rows.map((row) => row.activationId),
    rows.map((row) => row.userId),
    rows.map((row) => row.status),
    rows.map((row) => row.applicationId),
    rows.map((row) => row.applicationRow),
  ])
}

export const openActivations = (database: Database) => ({
  /** Those that are known, in no order. */
  find: (activationIds: readonly string[]) => database.query(FIND, [activationIds]),

  keep: (rows: readonly NewActivation[]) => keepActivations(database, rows),
})
export type Activations = ReturnType<typeof openActivations>

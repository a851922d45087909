// The local registry of activations: which user each belongs to, as registrations said.
import type { ActivationStatus } from '@push-server/contract'
import type { Database, Queryable, Statement } from './database.ts'

export interface ActivationRow {
  activationId: string
  userId: string
  status: ActivationStatus
  applicationId: string | null
}

const FIND: Statement = {
  name: 'activations-find',
  text: `SELECT activation_id AS "activationId", user_id AS "userId", status, application_id AS "applicationId"
    FROM activations WHERE activation_id = ANY($1)`,
}

/** In one order, so that two that keep the same ones never wait for each other. */
const KEEP: Statement = {
  name: 'activations-keep',
  text: `INSERT INTO activations (activation_id, user_id, status, application_id)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS given (id, user_id, status, application_id)
    ORDER BY id
    ON CONFLICT (activation_id) DO UPDATE SET user_id = EXCLUDED.user_id, status = EXCLUDED.status,
      application_id = EXCLUDED.application_id, updated_at = now()`,
}

/** Creates them, or binds them to another user or status; each at most once. */
export async function keepActivations(connection: Queryable, rows: readonly ActivationRow[]): Promise<void> {
  if (rows.length === 0) return
  await connection.query(KEEP, [
    rows.map((row) => row.activationId),
    rows.map((row) => row.userId),
    rows.map((row) => row.status),
    rows.map((row) => row.applicationId),
  ])
}

export const openActivations = (database: Database) => ({
  /** Those that are known, in no order. */
  find: (activationIds: readonly string[]) => database.query<ActivationRow>(FIND, [activationIds]),

  keep: (rows: readonly ActivationRow[]) => keepActivations(database, rows),
})
export type Activations = ReturnType<typeof openActivations>

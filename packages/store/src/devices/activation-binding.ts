// Binds activations of earlier versions, which know their application by its name alone, to its row.
import type { Database } from '../connection/database.ts'
import { WALK_STEP, walkOn } from '../connection/table-walks.ts'
import { statement } from '../connection/statement.ts'

/** As `ACTIVATION_APPLICATION` sees it. Locked in the order of registrations. */
const BIND = statement({
  name: 'activations-bind',
  text: `WITH next AS MATERIALIZED (
      SELECT activation_id FROM activations WHERE activation_id > $1 ORDER BY activation_id LIMIT $2),
    unbound AS MATERIALIZED (
      SELECT v.activation_id, a.id AS application_row FROM next
      JOIN activations v USING (activation_id)
      JOIN applications a ON a.app_id = v.application_id AND a.created_at <= v.created_at
      WHERE v.application_row IS NULL ORDER BY v.activation_id FOR UPDATE OF v),
    bound AS (
      UPDATE activations v SET application_row = unbound.application_row FROM unbound
      WHERE v.activation_id = unbound.activation_id RETURNING 1)
    SELECT (SELECT max(activation_id) FROM next) AS last, (SELECT count(*)::int FROM bound) AS bound`,
  notNull: { bound: 'count is never null' },
})

export const openActivationBinding = (database: Database) => ({
  /** One step; undefined when there is nothing to do, or another process does it. */
  step: (rows = WALK_STEP): Promise<{ bound: number } | undefined> =>
    database.transaction(async (connection) => {
      let bound = 0
      const walked = await walkOn(connection, 'activations', async (after) => {
        const [step] = await connection.query(BIND, [after, rows])
        bound = step?.bound ?? 0
        return step?.last ?? undefined
      })
      return walked ? { bound } : undefined
    }),
})

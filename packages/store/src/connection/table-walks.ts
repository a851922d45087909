// Walks through large tables that a migration leaves to be rewritten in steps. How far each has come stands in a row, which
// goes with the last step: a walk goes on where it was left, whichever process takes the next step.
import type { Queryable } from './database.ts'
import { statement } from './statement.ts'

/** Rows of one step, which is one transaction. */
export const WALK_STEP = 5000

/** A process that finds it locked leaves the step to the other. */
const TAKE = statement({
  name: 'walk-take',
  text: 'SELECT after FROM table_walks WHERE name = $1 FOR UPDATE SKIP LOCKED',
})
const MOVE = statement({ name: 'walk-move', text: 'UPDATE table_walks SET after = $2 WHERE name = $1' })
const END = statement({ name: 'walk-end', text: 'DELETE FROM table_walks WHERE name = $1' })

/**
 * One step, within a transaction. `visit` gets the last key that was visited and resolves with the next last one, undefined
 * at the end. False when there is nothing to walk, or another process is at it.
 */
export async function walkOn(
  connection: Queryable,
  name: string,
  visit: (after: string) => Promise<string | undefined>,
): Promise<boolean> {
  const [walk] = await connection.query(TAKE, [name])
  if (!walk) return false
  const last = await visit(walk.after)
  await (last === undefined ? connection.query(END, [name]) : connection.query(MOVE, [name, last]))
  return true
}

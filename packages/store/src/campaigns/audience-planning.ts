// How audiences are planned: set for one transaction, before its statements.
import { statement } from '../connection/statement.ts'

/** A sort of a partition in memory, and no parallel workers: they would take the cores from those who push. */
export const SET_UP = statement({
  name: 'fan-out-set-up',
  text: `SELECT set_config('work_mem', '64MB', true) AS memory, set_config('max_parallel_workers_per_gather', '0', true) AS workers`,
})

/**
 * The planner cannot know how many devices the other partitions have taken, or other runs have reached; looking each of them up would take
 * for ever.
 */
export const SET_UP_JOINS = statement({
  name: 'fan-out-set-up-late',
  text: "SELECT set_config('enable_nestloop', 'off', true)",
})

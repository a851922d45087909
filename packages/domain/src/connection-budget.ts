// Connections are a budget: all processes together against what the server takes. docs/deploy.md has the sum.
import type { Config, Logger } from '@push-server/runtime'
import { OTHER_CONNECTIONS, type Store } from '@push-server/store'

type Settings = Pick<
  Config,
  'databasePool' | 'databasePoolQueues' | 'databaseProcesses' | 'databaseUrlDirect' | 'redisUrl'
>

/** Maximum number that all processes open to the server, were each like this one. A pooler keeps its own to itself. Pure. */
export function connectionBudget(settings: Settings): number {
  const pool = settings.databaseUrlDirect === undefined ? settings.databasePool : 0
  const queues = settings.redisUrl === undefined ? settings.databasePoolQueues : 0
  return settings.databaseProcesses * (pool + queues + OTHER_CONNECTIONS)
}

/** Too few connections show under load only. The operator learns it when the process starts. */
export async function warnOfConnections(settings: Settings, store: Store, log: Logger): Promise<void> {
  const [budget, capacity] = [connectionBudget(settings), await store.capacity()]
  if (budget <= capacity) return
  log.warn(
    { budget, capacity, processes: settings.databaseProcesses },
    'PostgreSQL takes fewer connections than all processes may open: raise max_connections or lower DATABASE_POOL',
  )
}

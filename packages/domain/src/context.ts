// What every service works with, opened in one place and passed down.
import { openQueues, type Queues } from '@push-server/queues'
import {
  createHealth,
  createMetrics,
  createResources,
  type Close,
  type Config,
  type ConfigWith,
  type Logger,
  type Part,
  type Stop,
  type Vitals,
} from '@push-server/runtime'
import { migrateDatabase, openStore, type Store } from '@push-server/store'
import { watchClock } from './clock-watch.ts'
import { warnOfConnections } from './connection-budget.ts'
import { openAccess, type Access } from './access/index.ts'
import { checkEncryptionKeys } from './encryption-keys.ts'

export interface Context extends Vitals {
  config: Config
  log: Logger
  store: Store
  queues: Queues
  access: Access
}

/** Settings that every service requires. */
export const SERVICE_SETTINGS = ['databaseUrl', 'encryptionKey'] as const
export type ServiceConfig = ConfigWith<(typeof SERVICE_SETTINGS)[number]>

/** Something that runs until the function that it resolves with is called. */
export type Service = (context: Context) => Promise<Stop>

/** Migrates the database, then opens store and queues; `close` closes them in reverse. */
export async function openContext(config: ServiceConfig, log: Logger): Promise<Context & { close: Close }> {
  const { databaseUrl, encryptionKey, formerNames } = config
  for (const names of formerNames)
    log.warn(names, 'setting given under its former name; the next release refuses that name')
  const applied = await migrateDatabase(config, {
    onRetry: (migration, error) => log.warn({ err: error, migration }, 'migration waits for a lock, retrying'),
  })
  if (applied.length > 0) log.info({ migrations: applied }, 'database migrated')

  const resources = createResources((name, error) => log.error({ err: error, resource: name }, 'close failed'))
  const store = openStore({
    url: databaseUrl,
    directUrl: config.databaseUrlDirect,
    connections: config.databasePool,
    timeoutMs: config.databaseTimeout,
    namedStatements: config.databaseNamedStatements,
    encryptionKey,
    encryptionKeysOld: config.encryptionKeysOld ?? [],
    onError: (error) => log.warn({ err: error }, 'database connection failed'),
    onUnwritable: (error) => log.error({ err: error }, 'database stores nothing, reading goes on'),
  })
  resources.add('store', () => store.close())
  try {
    await warnOfConnections(config, store, log)
    const vitals = openVitals(config, store)
    const watch = await watchClock({ store, log, metrics: vitals.metrics })
    resources.add('clock', watch)
    await checkEncryptionKeys(store, log)
    const queues = await openQueues(config, log, () => Math.min(store.clock.now(), Date.now()))
    resources.add('queues', () => queues.close())
    vitals.metrics.watch({ backlog: store.backlog, queues: queues.depths, pool: store.connections })
    const access = openAccess({ config, store, log })
    return { config, log, store, queues, access, ...vitals, close: () => resources.close() }
  } catch (error) {
    await resources.close()
    throw error
  }
}

/** Health part of what stores changes: a gateway can do without, since it still reads. */
export const writesPart = ({ store }: Pick<Context, 'store'>, essential: boolean): Part => ({
  name: 'database writes',
  essential,
  check: () => store.checkWrites(),
})

/** Every service needs the database; each adds its further checks itself. */
function openVitals(config: Config, store: Store): Vitals {
  const health = createHealth()
  health.add({ name: 'database', essential: true, check: () => store.ping() })
  const metrics = createMetrics({ perApplication: config.metricsPerApp })
  return { health, metrics }
}

// Every service in one process, on an embedded PostgreSQL and simulated phones unless real ones are configured.
import { apiGateway } from '@push-server/api-gateway'
import { apnsWorker } from '@push-server/apns-worker'
import { campaignScheduler } from '@push-server/campaign-scheduler'
import type { Platform } from '@push-server/contract'
import { openContext, SERVICE_SETTINGS, type Service } from '@push-server/domain'
import { startPostgres } from '@push-server/embedded-postgres'
import {
  createLogger,
  createResources,
  printable,
  readConfig,
  type Environment,
  type Resources,
  type Stop,
} from '@push-server/runtime'
import { fcmWorker } from '@push-server/fcm-worker'
import { hmsWorker } from '@push-server/hms-worker'
import { bannerOf } from './banner.ts'
import { setUpDemo } from './demo.ts'
import { encryptionKey, makeFolders, terminalDefaults, type Folders } from './environment.ts'
import { powerAuthLine, settingsFor, startPhones } from './phones.ts'

const WORKERS: Record<Platform, Service> = { ios: apnsWorker, android: fcmWorker, huawei: hmsWorker }
/** Workers first: once the API responds, messages are delivered. */
const SERVICES: readonly Service[] = [...Object.values(WORKERS), campaignScheduler, apiGateway]

/**
 * Resolves with the function that stops it, once a message can be sent; `print` gets text for a person. Aborted, it closes what
 * it has started by then and rejects with the signal's reason.
 */
export async function startStandalone(
  environment: Environment,
  print: (text: string) => void,
  stopping = new AbortController().signal,
): Promise<Stop> {
  const resources = createResources((name, error) => print(`Stopping ${name} failed: ${printable(String(error))}`))
  try {
    const banner = await start(environment, resources, stopping)
    stopping.throwIfAborted()
    print(banner)
  } catch (error) {
    await resources.close()
    throw error
  }
  return () => resources.close()
}

/** Resolves with the text for a person. */
async function start(given: Environment, resources: Resources, stopping: AbortSignal): Promise<string> {
  const terminal = readConfig(terminalDefaults(given))
  const folders = await makeFolders(terminal.dataDir)
  const simulator = await startPhones(terminal, folders)
  resources.add('simulator', simulator.stop)
  const settings = {
    // All services are in this one.
    DATABASE_PROCESSES: '1',
    ...(await settingsFor(simulator, folders)),
    ...terminalDefaults(given),
    ENCRYPTION_KEY: terminal.encryptionKey ?? (await encryptionKey(folders)),
    DATABASE_URL: terminal.databaseUrl ?? (await startDatabase(folders, resources)),
  }
  stopping.throwIfAborted()
  const config = readConfig(settings, SERVICE_SETTINGS)
  const context = await openContext(config, createLogger(config, 'standalone'))
  resources.add('context', context.close)
  await setUpDemo(context, simulator)
  for (const service of SERVICES) {
    stopping.throwIfAborted()
    resources.add('service', await service(context))
  }
  return bannerOf({
    api: `http://${config.host}:${config.port}`,
    phones: `${simulator.url}/`,
    powerAuth: powerAuthLine(simulator, folders),
    isLocked: await context.access.isOn(),
  })
}

async function startDatabase({ postgres }: Folders, resources: Resources): Promise<string> {
  const server = await startPostgres({ dir: postgres, settings: { max_connections: '200' } })
  resources.add('PostgreSQL', server.stop)
  return server.url
}

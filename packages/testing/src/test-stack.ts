// A whole push server in one process for a test: real HTTP, PostgreSQL and queue; only the vendors are simulated.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apiGateway } from '@push-server/api-gateway'
import { apnsWorker } from '@push-server/apns-worker'
import { campaignScheduler } from '@push-server/campaign-scheduler'
import { PROVIDER_NAMES, type Platform, type ProviderName, type TokenKind } from '@push-server/contract'
import { fcmWorker } from '@push-server/fcm-worker'
import { hmsWorker } from '@push-server/hms-worker'
import { openContext, SERVICE_SETTINGS, type Context, type Service } from '@push-server/domain'
import { createLogger, createResources, readConfig, type Resources } from '@push-server/runtime'
import {
  powerAuthSettings,
  simulatorSettings,
  startSimulator,
  type Simulator,
  type SimulatorOptions,
} from '@push-server/simulator'
import { createApi, type Api } from './api.ts'
import { BACKENDS, type TestBackend } from './backends.ts'
import { generateCredentials } from './credentials.ts'
import { createDatabase, type TestDatabase } from './database.ts'
import { freePort } from './free-port.ts'

export const APP = 'mobile-app'

export type ServiceName = ProviderName | 'gateway' | 'scheduler'

const SERVICES: Record<ServiceName, Service> = {
  gateway: apiGateway,
  apns: apnsWorker,
  fcm: fcmWorker,
  hms: hmsWorker,
  scheduler: campaignScheduler,
}
/** In the order of their start. */
const ALL: readonly ServiceName[] = [...Object.values(PROVIDER_NAMES), 'scheduler', 'gateway']

export interface TestStackOptions {
  backend?: TestBackend
  /** Which run in this process; all of them by default. */
  services?: readonly ServiceName[]
  /** Over the settings of tests, which are the product's with shorter times. */
  environment?: Record<string, string>
  simulator?: SimulatorOptions
  /** Activations come from the simulated PowerAuth Server instead of the local registry. */
  powerAuth?: boolean
  /** Of a PostgreSQL that the test may stop; by default that of the run. */
  cluster?: string
  /** URL of a pooler before that PostgreSQL: what can goes through it. */
  pooler?: string
}

export interface TestStack {
  api: Api
  simulator: Simulator
  database: TestDatabase
  context: Context
  /** For a process of its own that belongs to this test stack. */
  environment: Record<string, string>
  /** Starts one more service in this process; it can be stopped alone. */
  start(name: ServiceName): Promise<() => Promise<void>>
  /** Makes the application with credentials; APP on iOS by default. */
  configure(appId?: string, platforms?: readonly Platform[]): Promise<void>
  /** Registers a phone, an iPhone by default, under an activation of the user. */
  register(device: {
    userId: string
    token: string
    platform?: Platform
    activationId?: string
    status?: string
    appId?: string
    tokenKind?: TokenKind
  }): Promise<void>
  close(): Promise<void>
}

const TEST_SETTINGS = {
  LOG_LEVEL: 'silent',
  SWEEP_INTERVAL: '250ms',
  SWEEP_AFTER: '1s',
  // What a dead worker held is soon free, and a busy machine still renews in time what it holds.
  LEASE_TIME: '5s',
  ...settingsOfRun(),
}

/** The transport that the whole run is to be made with, and how much may share a statement. */
function settingsOfRun(): Record<string, string> {
  const { HTTP2_TRANSPORT = 'lean', DIRECT_BATCH_REQUESTS, DIRECT_BATCH_CHUNKS } = process.env
  return {
    HTTP2_TRANSPORT,
    ...(DIRECT_BATCH_REQUESTS && { DIRECT_BATCH_REQUESTS }),
    ...(DIRECT_BATCH_CHUNKS && { DIRECT_BATCH_CHUNKS }),
  }
}

export async function openTestStack(options: TestStackOptions = {}): Promise<TestStack> {
  const resources = createResources(() => {})
  try {
    return await open(options, resources)
  } catch (error) {
    await resources.close()
    throw error
  }
}

async function open(options: TestStackOptions, resources: Resources): Promise<TestStack> {
  const database = await createDatabase(options.cluster)
  resources.add('database', database.close)
  const simulator = await startSimulator({ keep: Infinity, ...(await providerPorts()), ...options.simulator })
  resources.add('simulator', simulator.stop)
  const environment: Record<string, string> = await environmentOf(simulator, database, resources)
  if (options.pooler !== undefined) Object.assign(environment, throughPooler(database.url, options.pooler))
  if (options.powerAuth) Object.assign(environment, usePowerAuth(simulator, environment.APNS_CA_FILE))
  Object.assign(environment, (options.backend ?? BACKENDS[0])?.environment(), options.environment)

  const config = readConfig(environment, SERVICE_SETTINGS)
  const context = await openContext(config, createLogger(config, 'test'))
  resources.add('context', context.close)
  const api = createApi(`http://127.0.0.1:${config.port}`)
  const stack: TestStack = {
    api,
    simulator,
    database,
    context,
    environment,
    async start(name) {
      const stop = await SERVICES[name](context)
      let stopped: Promise<void> | void | undefined
      const once = async () => (stopped ??= stop())
      resources.add(name, once)
      return once
    },
    configure: (appId = APP, platforms = ['ios']) => configureApplication(context, appId, platforms),
    register: (device) => register(context, device),
    close: () => resources.close(),
  }
  for (const name of options.services ?? ALL) await stack.start(name)
  return stack
}

/** A provider that is down for a while comes back on its port, which no client of another process may have got meanwhile. */
const providerPorts = async () => ({
  apnsPort: await freePort(),
  fcmPort: await freePort(),
  hmsPort: await freePort(),
  powerAuthPort: await freePort(),
})

async function environmentOf(simulator: Simulator, database: TestDatabase, resources: Resources) {
  const dir = await mkdtemp(join(tmpdir(), 'push-test-stack-'))
  resources.add('folder', () => rm(dir, { recursive: true }))
  const authority = join(dir, 'authority.pem')
  await writeFile(authority, simulator.apns.ca)
  return {
    ...TEST_SETTINGS,
    PORT: String(await freePort()),
    DATABASE_URL: database.url,
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    ...simulatorSettings(simulator, authority),
  }
}

function throughPooler(databaseUrl: string, pooler: string) {
  const url = new URL(pooler)
  url.pathname = new URL(databaseUrl).pathname
  return { DATABASE_URL: url.href, DATABASE_URL_DIRECT: databaseUrl, DATABASE_NAMED_STATEMENTS: 'false' }
}

export const POWER_AUTH_CLIENT = { clientToken: 'push-server', clientSecret: 'secret-of-the-push-server' }

function usePowerAuth(simulator: Simulator, authority = '') {
  simulator.powerAuth.restrict(POWER_AUTH_CLIENT)
  return {
    ...powerAuthSettings(simulator, authority),
    POWERAUTH_CLIENT_TOKEN: POWER_AUTH_CLIENT.clientToken,
    POWERAUTH_CLIENT_SECRET: POWER_AUTH_CLIENT.clientSecret,
  }
}

async function configureApplication({ store }: Context, appId: string, platforms: readonly Platform[]): Promise<void> {
  await store.applications.create(appId)
  const application = await store.applications.find(appId)
  if (!application) throw new Error(`Application ${appId} was not created`)
  for (const platform of platforms)
    await store.credentials.put({ applicationId: application.id, platform }, generateCredentials[platform]())
}

async function register({ store }: Context, device: Parameters<TestStack['register']>[0]): Promise<void> {
  const application = await store.applications.find(device.appId ?? APP)
  if (!application) throw new Error('Configure the application first')
  const registration = {
    applicationId: application.id,
    activationId: device.activationId ?? `of-${device.token}`.slice(0, 37),
    userId: device.userId,
    platform: device.platform ?? 'ios',
    environment: null,
    token: device.token,
    tokenKind: device.tokenKind ?? null,
    active: (device.status ?? 'ACTIVE') === 'ACTIVE',
  }
  await store.devices.register([registration], { several: 'refuse' })
}

// What all cells of `bench:api` stand on: PostgreSQL, the queue's store and providers, with the audiences that cells need. Each
// cell has services of its own, which it warms up.
import { PLATFORMS, type Platform } from '@push-server/contract'
import { generateUpdates, type Tree } from '@push-server/testing'
import type { WatchedProcess } from '../processes.ts'
import { accepted, importLines, startServices, type Server } from '../server.ts'
import { openStage, type Stage } from '../stage.ts'
import { appIdOf, tokenOf, userIdOf, usersOfEach, type Audience } from './audience.ts'
import { platformsOf, type Cell } from './cells.ts'
import { openDatabase, type Database } from './database.ts'

export interface GroundOptions {
  backend: 'redis' | 'postgresql'
  tree?: Tree
  /** That cells push to (all). */
  platforms?: readonly Platform[]
  /** Whether PostgreSQL counts how often it plans, which costs time. */
  plans?: boolean
  /** Of each kind. */
  workers?: number
  gateways?: number
  /** More settings of the services. */
  environment?: Record<string, string>
}

export interface Ground {
  stage: Stage
  options: GroundOptions
  /** Made before any cell is measured. */
  makeAudiences(audiences: readonly Audience[]): Promise<void>
  /** What takes the requests of a cell; it is stopped when it is disposed of. */
  startTarget(cell: Cell): Promise<Target>
  /** Targets that were started: one whose cell is interrupted is stopped with the ground. */
  targets: AsyncDisposableStack
  close(): Promise<void>
}

/** Whose processor time is counted apart. */
export type Part = 'gateway' | 'workers' | 'scheduler'

export interface Target extends AsyncDisposable {
  urls: readonly string[]
  processes: Readonly<Record<Part, readonly WatchedProcess[]>>
  database: Database
  /** Whether every outcome is stored. */
  isSettled(): Promise<boolean>
  /** Its database, so that no measurement pays for what ran before it. */
  maintain(): Promise<void>
}

const SETTINGS = { shared_preload_libraries: 'pg_stat_statements' }
/** Where this process keeps its compiled code, so do services: there are new ones for each cell. */
const { NODE_COMPILE_CACHE } = process.env
const COMPILED: Record<string, string> = NODE_COMPILE_CACHE ? { NODE_COMPILE_CACHE } : {}
const PLANS = { 'pg_stat_statements.track_planning': 'on' }

export async function openGround(options: GroundOptions): Promise<Ground> {
  const { backend, tree, platforms = PLATFORMS, plans, workers = 1, gateways = 1, environment } = options
  const stage = await openStage({
    backend,
    platforms,
    latencyMs: 0,
    maintenance: 'by-hand',
    settings: { ...SETTINGS, ...(plans && PLANS) },
    ...(tree && { tree }),
  })
  const configured = { ...stage, environment: { ...stage.environment, ...COMPILED, ...environment } }
  const targets = new AsyncDisposableStack()
  return {
    stage,
    options,
    targets,
    makeAudiences: (audiences) => makeAudiences(configured, audiences),
    startTarget: async (cell) =>
      targets.use(
        await targetOf(await startServices(configured, { platforms: platformsOf(cell), workers, gateways }), stage),
      ),
    async close() {
      await targets.disposeAsync()
      await stage.close()
    },
  }
}

const OPEN_CHUNKS = 'SELECT FROM chunks WHERE settled_at IS NULL LIMIT 1'

async function targetOf(server: Server, stage: Stage): Promise<Target> {
  await using opening = new AsyncDisposableStack()
  opening.defer(server.stop)
  const database = await openDatabase(stage.environment.DATABASE_URL ?? '')
  opening.defer(database.close)
  const opened = opening.move()
  const named = (isIt: (name: string) => boolean) => server.services.filter(({ name }) => isIt(name))
  return {
    urls: server.urls,
    processes: {
      gateway: named((name) => name === 'api-gateway'),
      workers: named((name) => name.endsWith('-worker')),
      scheduler: named((name) => name === 'campaign-scheduler'),
    },
    database,
    isSettled: async () => (await database.query(OPEN_CHUNKS)).length === 0,
    maintain: stage.maintain,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** Through the API, by services that run for this alone. */
async function makeAudiences(stage: Stage, audiences: readonly Audience[]): Promise<void> {
  const distinct = new Map(audiences.map((audience) => [audience.name, audience]))
  const server = await startServices(stage, { workers: 0, schedulers: 0 })
  try {
    for (const audience of distinct.values())
      for (let application = 0; application < audience.applications; application++)
        await makeApplication(server, audience, application)
  } finally {
    await server.stop()
  }
}

async function makeApplication({ api }: Server, audience: Audience, application: number): Promise<void> {
  const appId = appIdOf(audience, application)
  const { platforms } = audience
  await accepted('application', api.post('/admin/app/create', { appId }))
  for (const platform of platforms)
    await accepted(platform, api.post(`/admin/app/${platform}/update`, { appId, ...generateUpdates[platform]() }))
  const lineOf = (line: number) => {
    const user = Math.floor((line - 1) / platforms.length)
    const platform = platforms[(line - 1) % platforms.length]
    // At most 37 characters, and of one application alone.
    const activationId = `${appId}-${line}`
    return `${JSON.stringify({ userId: userIdOf(user), activationId, platform, token: tokenOf(audience, application, user) })}\n`
  }
  await importLines(`${api.url}/push/device/import?appId=${appId}`, usersOfEach(audience) * platforms.length, lineOf)
}

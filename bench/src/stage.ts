// What a benchmark of the whole server stands on: PostgreSQL, the queues' store and the simulator, each in its own process.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '@push-server/embedded-postgres'
import { freePort } from '@push-server/testing'
import { startProgram, startScript, type BenchProcess } from './process.ts'

export interface Stage {
  /** For every service. */
  environment: Record<string, string>
  /** Of the simulator's control calls. */
  simulatorUrl: string
  simulator: BenchProcess
  close(): Promise<void>
}

export interface StageOptions {
  backend: 'redis' | 'postgresql'
  latencyMs: number | { min: number; max: number }
}

interface Endpoint {
  origin: string
  tokenUrl: string
  ca: string
}

/** PostgreSQL as it comes: what is answered is on disk. Redis writes its log once a second, as the compose file has it. */
export async function openStage({ backend, latencyMs }: StageOptions): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'push-bench-'))
  const closers: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })]
  const close = async () => {
    for (const closer of closers.toReversed()) await closer()
  }
  try {
    const postgres = await startPostgres({ dir: join(folder, 'postgres'), settings: { max_connections: '300' } })
    closers.push(postgres.stop)
    const { line, process: simulator } = await startScript('simulator-process.ts', [JSON.stringify(latencyMs)])
    closers.push(simulator.stop)
    const { url, apns, fcm, hms } = JSON.parse(line) as { url: string } & Record<'apns' | 'fcm' | 'hms', Endpoint>
    const authority = join(folder, 'authority.pem')
    await writeFile(authority, apns.ca)
    const environment: Record<string, string> = {
      LOG_LEVEL: 'warn',
      DATABASE_URL: postgres.url,
      ENCRYPTION_KEY: randomBytes(32).toString('base64'),
      APNS_PRODUCTION_URL: apns.origin,
      APNS_CA_FILE: authority,
      FCM_BASE_URL: fcm.origin,
      FCM_TOKEN_URL: fcm.tokenUrl,
      FCM_CA_FILE: authority,
      HMS_BASE_URL: hms.origin,
      HMS_TOKEN_URL: hms.tokenUrl,
      HMS_CA_FILE: authority,
    }
    if (backend === 'redis') {
      const redis = await startRedis(folder)
      closers.push(redis.stop)
      environment.REDIS_URL = redis.url
    }
    return { environment, simulatorUrl: url, simulator, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function startRedis(folder: string) {
  const port = await freePort()
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes', '--save', '']
  const { stop } = await startProgram('redis-server', flags, 'Ready to accept connections')
  return { url: `redis://127.0.0.1:${port}`, stop }
}

// `npm run bench:campaign`: one campaign to a million devices, everything on this machine, results stored. `-- --quick`
// takes 100 000. Fails when the simulator's distinct tokens differ from the audience.
import { parseArgs } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { createApi, freePort, generateCredentials, until, type Api } from '@push-server/testing'
import { openStore } from '@push-server/store'
import pg from 'pg'
import { startService, type BenchProcess } from './process.ts'
import { openStage, type Stage } from './stage.ts'

const APP = 'bench'
const PLATFORMS = ['ios', 'android', 'huawei'] as const
const WORKERS = ['apns-worker', 'fcm-worker', 'hms-worker']

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    devices: { type: 'string' },
    backend: { type: 'string', default: 'redis' },
    latency: { type: 'string', default: '{"min":25,"max":75}' },
    platforms: { type: 'string', default: 'ios,android,huawei' },
  },
})
const devices = Number(values.devices ?? (values.quick ? 100_000 : 1_000_000))
const backend = values.backend === 'postgresql' ? 'postgresql' : 'redis'
const platforms = PLATFORMS.filter((platform) => values.platforms.split(',').includes(platform))
const print = (line: string) => void process.stdout.write(`${line}\n`)

interface Stats {
  ios: { distinctTokens: number; received: number }
  android: { distinctTokens: number; received: number }
  huawei: { distinctTokens: number; received: number }
}

const statsOf = async ({ simulatorUrl }: Stage): Promise<Stats> =>
  (await (await fetch(`${simulatorUrl}/stats`)).json()) as Stats

async function register({ environment }: Stage): Promise<void> {
  const store = openStore({
    url: environment.DATABASE_URL ?? '',
    connections: 2,
    encryptionKey: environment.ENCRYPTION_KEY ?? '',
    onError: (error) => print(String(error)),
  })
  await store.applications.create(APP)
  const application = await store.applications.find(APP)
  if (!application) throw new Error('no application')
  for (const platform of platforms)
    await store.credentials.put({ applicationId: application.id, platform }, generateCredentials[platform]())
  await store.close()
  const client = new pg.Client({ connectionString: environment.DATABASE_URL })
  await client.connect()
  await client.query(
    `INSERT INTO devices (application_id, user_id, activation_id, platform, token, bucket, active, registered_at)
     SELECT $1, 'user-' || n, 'activation-' || n, ($2::text[])[n % $3 + 1], md5('a' || n) || md5('b' || n), n % 1024, true,
       now() - interval '1 hour' FROM generate_series(1, $4::int) n`,
    [application.id, platforms, platforms.length, devices],
  )
  await client.query('ANALYZE devices')
  await client.end()
}

async function addUsers(api: Api, id: string): Promise<void> {
  const STEP = 200_000
  for (let first = 1; first <= devices; first += STEP) {
    const users = Array.from({ length: Math.min(STEP, devices - first + 1) }, (_, index) => `user-${first + index}`)
    await api.post(`/push/campaign/${id}/user/add`, users)
  }
}

async function main(stage: Stage, processes: BenchProcess[]): Promise<void> {
  const port = await freePort()
  const environment = { ...stage.environment, PORT: String(port) }
  const api = createApi(`http://127.0.0.1:${port}`)
  // The first one brings the database up to date.
  processes.push(startService('api-gateway', environment))
  const isReady = () =>
    api.get('/health/ready').then(
      (answer) => answer.status === 200,
      () => false,
    )
  await until('the gateway to be ready', isReady, 60_000)
  for (const name of ['campaign-scheduler', ...WORKERS])
    processes.push(startService(name, { ...environment, HEALTH_PORT: String(await freePort()) }))
  const preparing = performance.now()
  await register(stage)
  const created = await api.post('/push/campaign/create', {
    appId: APP,
    message: { title: 'Market closed', body: 'We open again on Monday.' },
  })
  const id: string = created.body.responseObject.id
  await addUsers(api, id)
  print(`prepared ${devices} devices in ${((performance.now() - preparing) / 1000).toFixed(1)} s`)
  const busy = processes.map((each) => each.processorTime() ?? 0)
  const simulatorBusy = stage.simulator.processorTime() ?? 0
  const start = performance.now()
  await api.post(`/push/campaign/send/live/${id}`, {})
  let first: number | undefined
  for (;;) {
    const { body } = await api.get(`/push/campaign/${id}/progress`)
    const { state, sent = 0 } = body.responseObject
    if (first === undefined && sent > 0) first = performance.now() - start
    if (state === 'sent') break
    await sleep(100)
  }
  const seconds = (performance.now() - start) / 1000
  print(
    `sent ${devices} in ${seconds.toFixed(1)} s: ${Math.round(devices / seconds)}/s; first recorded after ${Math.round(first ?? 0)} ms`,
  )
  for (const [index, each] of processes.entries())
    print(
      `${each.name}: peak ${Math.round(each.peakMemory() ?? 0)} MB, ${((each.processorTime() ?? 0) - (busy[index] ?? 0)).toFixed(1)} s of processor`,
    )
  print(`simulator: ${((stage.simulator.processorTime() ?? 0) - simulatorBusy).toFixed(1)} s of processor`)
  const stats = await statsOf(stage)
  const distinct = platforms.reduce((sum, platform) => sum + stats[platform].distinctTokens, 0)
  const received = platforms.reduce((sum, platform) => sum + stats[platform].received, 0)
  print(`distinct tokens ${distinct}, received ${received}`)
  if (distinct !== devices) process.exitCode = 1
}

const stage = await openStage({ backend, latencyMs: JSON.parse(values.latency) as number })
const processes: BenchProcess[] = []
try {
  await main(stage, processes)
} finally {
  for (const each of processes.toReversed()) await each.stop()
  await stage.close()
}

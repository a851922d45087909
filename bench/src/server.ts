// The whole server for a benchmark: every service in a process of its own, and an audience made through the API.
import { Readable } from 'node:stream'
import { PLATFORMS, type Platform } from '@push-server/contract'
import { createApi, freePort, generateUpdates, waitFor, type Api } from '@push-server/testing'
import { startService, type BenchProcess } from './processes.ts'
import type { Stage } from './stage.ts'

export const APP = 'bench'
export const WORKERS: Record<Platform, string> = { ios: 'apns-worker', android: 'fcm-worker', huawei: 'hms-worker' }

export interface Server {
  /** Of the first gateway. */
  api: Api
  /** Of all gateways. */
  urls: string[]
  services: BenchProcess[]
  stop(): Promise<void>
}

export interface ServerOptions {
  platforms?: readonly Platform[]
  /** Of each kind (1). */
  workers?: number
  schedulers?: number
  /** Each on a port of its own (1). */
  gateways?: number
}

/** With the application APP, which has credentials for the platforms. */
export async function startServer(stage: Stage, options: ServerOptions = {}): Promise<Server> {
  const server = await startServices(stage, options)
  try {
    await configure(server, options)
    return server
  } catch (error) {
    await server.stop()
    throw error
  }
}

/** On a stage that may have been used before. */
export async function startServices(stage: Stage, options: ServerOptions = {}): Promise<Server> {
  const { platforms = PLATFORMS, workers = 1, schedulers = 1, gateways = 1 } = options
  const port = await freePort()
  // Node's options are those of the image.
  const environment = { ...stage.environment, NODE_OPTIONS: '--max-semi-space-size=16', PORT: String(port) }
  const api = createApi(`http://127.0.0.1:${port}`)
  // The first one brings the database up to date.
  const services = [startService('api-gateway', environment, stage.tree)]
  const stop = async () => {
    for (const service of services.toReversed()) await service.stop()
  }
  const urls = [api.url]
  try {
    await waitFor('the gateway to be ready', () => isReady(api))
    const kinds = platforms.flatMap((platform) => Array.from({ length: workers }, () => WORKERS[platform]))
    const names = [...Array.from({ length: schedulers }, () => 'campaign-scheduler'), ...kinds]
    for (const name of names) services.push(await startUnseen(stage, name, environment))
    while (urls.length < gateways) {
      const port = String(await freePort())
      services.push(startService('api-gateway', { ...environment, PORT: port }, stage.tree))
      const another = createApi(`http://127.0.0.1:${port}`)
      await waitFor('another gateway to be ready', () => isReady(another))
      urls.push(another.url)
    }
    return { api, urls, services, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const isReady = (api: Api): Promise<boolean> =>
  api.get('/health/ready').then(
    (response) => response.status === 200,
    () => false,
  )

async function configure({ api }: Server, { platforms = PLATFORMS }: ServerOptions): Promise<void> {
  await accepted('application', api.post('/admin/app/create', { appId: APP }))
  for (const platform of platforms)
    await accepted(platform, api.post(`/admin/app/${platform}/update`, { appId: APP, ...generateUpdates[platform]() }))
}

/** A service that nobody calls: its health is all that listens. */
export const startUnseen = async (
  { tree }: Stage,
  name: string,
  environment: Record<string, string>,
): Promise<BenchProcess> => startService(name, { ...environment, HEALTH_PORT: String(await freePort()) }, tree)

export async function accepted(what: string, response: Promise<{ status: number; body: unknown }>): Promise<void> {
  const { status, body } = await response
  if (status !== 200) throw new Error(`${what}: ${status} ${JSON.stringify(body)}`)
}

/** Users `user-1` and so on, with a device each, on the platforms in turn. */
export async function importDevices(
  { api }: Server,
  count: number,
  platforms: readonly Platform[] = PLATFORMS,
): Promise<void> {
  const lineOf = (n: number) => {
    const token = n.toString(16).padStart(8, '0').repeat(8)
    const platform = platforms[n % platforms.length]
    return `{"userId":"user-${n}","activationId":"activation-${n}","platform":"${platform}","token":"${token}"}\n`
  }
  await importLines(`${api.url}/push/device/import?appId=${APP}`, count, lineOf)
}

/** The id of a campaign to the first `count` of those users. */
export async function createCampaign({ api }: Server, count: number): Promise<string> {
  const message = { title: 'Market closed', body: 'We open again on Monday.' }
  const { body } = await api.post('/push/campaign/create', { appId: APP, message })
  const id: string = body.responseObject.id
  await importLines(`${api.url}/push/campaign/${id}/user/import`, count, (n) => `"user-${n}"\n`)
  return id
}

const LINES = 1000

/** Lines 1 to `count`, made as they are sent. */
export async function importLines(url: string, count: number, lineOf: (n: number) => string): Promise<void> {
  function* chunks() {
    for (let first = 1; first <= count; first += LINES)
      yield Array.from({ length: Math.min(LINES, count - first + 1) }, (_, index) => lineOf(first + index)).join('')
  }
  const body = Readable.toWeb(Readable.from(chunks()))
  const headers = { 'content-type': 'application/x-ndjson' }
  const response = await fetch(url, { method: 'PUT', headers, body, duplex: 'half' })
  const result = (await response.json()) as { responseObject: { failed?: number; imported?: number } }
  if (response.status !== 200 || result.responseObject.imported !== count) throw new Error(JSON.stringify(result))
}

// Processes of two commits on one database and one queue. Requests go to the gateways in turn.
import { createPublicKey } from 'node:crypto'
import type { Test } from 'tap'
import { PLATFORMS, type Platform } from '@push-server/contract'
import {
  createApi,
  freePort,
  generateApnsKey,
  generateServiceAccount,
  openTestStack,
  spawnService,
  waitFor,
  type Api,
  type TestStack,
  type TestBackend,
  type Tree,
} from '@push-server/testing'

const WORKERS = { ios: 'apns-worker', android: 'fcm-worker', huawei: 'hms-worker' } satisfies Record<Platform, string>
/** For what hangs, not for what is slow. */
export const WITHIN_MS = 600_000

/**
 * On a busy machine nothing may be given up and done again: what is asked is whether everything arrives, and once. Processes of
 * the former commit read these settings as well, so each name has to be one that both commits know.
 */
const PATIENCE = {
  SYNC_TIMEOUT: '180s',
  LEASE_TIME: '120s',
  APNS_REQUEST_TIMEOUT: '120s',
  FCM_REQUEST_TIMEOUT: '120s',
  HMS_REQUEST_TIMEOUT: '120s',
  CAMPAIGN_PARTITION: '100',
}

export interface Arrangement {
  gateways: readonly Tree[]
  /** Of the workers and schedulers: each of the trees has one of every kind. */
  others: readonly Tree[]
}

export interface Member {
  name: string
  service: string
  url: string
  isRunning(): boolean
  /** Resolves with its exit code. */
  stop(): Promise<number | null>
}

export interface Mixed {
  stack: TestStack
  /** The gateway whose turn it is. */
  api(): Api
  members: Member[]
  workers: readonly Member[]
  /** For each process that runs, one after the other: starts one of `tree`, then stops it. Calls `between` after each. */
  replace(tree: Tree, between: () => Promise<void>): Promise<void>
}

/** The test stack has brought the database up to this tree's migrations before the first process starts. */
export async function openMixed(t: Test, backend: TestBackend, { gateways, others }: Arrangement): Promise<Mixed> {
  const stack = await openTestStack({
    backend,
    services: [],
    environment: PATIENCE,
    simulator: { latencyMs: { min: 5, max: 50 } },
  })
  t.teardown(() => stack.close())
  const launchAll = (names: readonly string[], trees: readonly Tree[]) =>
    Promise.all(trees.flatMap((tree) => names.map((name) => launch(t, stack, { name, tree }))))
  const [entries, schedulers, workers] = await Promise.all([
    launchAll(['api-gateway'], gateways),
    launchAll(['campaign-scheduler'], others),
    launchAll(Object.values(WORKERS), others),
  ])
  let apis = entries.map(({ url }) => createApi(url))
  let requests = 0
  const members = [...entries, ...schedulers, ...workers]
  return {
    stack,
    api: () => apis[requests++ % apis.length] ?? stack.api,
    members,
    workers,
    async replace(tree, between) {
      for (const former of members.slice()) {
        const next = await launch(t, stack, { name: former.service, tree })
        if (former.service === 'api-gateway') apis = [createApi(next.url)]
        members.splice(members.indexOf(former), 1, next)
        await former.stop()
        await between()
      }
    },
  }
}

async function launch(t: Test, stack: TestStack, { name, tree }: { name: string; tree: Tree }): Promise<Member> {
  const port = String(await freePort())
  const own = { LOG_LEVEL: 'error', PORT: port, HEALTH_PORT: port }
  const child = spawnService(name, { ...stack.environment, ...own }, tree)
  t.teardown(() => child.kill())
  let isRunning = true
  void child.ended.then(() => (isRunning = false))
  const member = {
    name: `${name} of ${tree.name}`,
    service: name,
    url: `http://127.0.0.1:${port}`,
    isRunning: () => isRunning,
    stop: child.stop,
  }
  await waitFor(`${member.name} to be ready`, async () => !isRunning || isReady(member.url), WITHIN_MS)
  if (!isRunning) throw new Error(`${member.name} ended instead of becoming ready; what it said stands above`)
  return member
}

const isReady = (url: string) =>
  fetch(`${url}/health/ready`).then(
    ({ ok }) => ok,
    () => false,
  )

/** How many pushes a worker says that it has made. */
export async function pushedBy({ url }: Member): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const samples = [...text.matchAll(/^push_deliveries_total\{.*outcome="sent".*\} (\S+)$/gm)]
  return samples.reduce((sum, [, value]) => sum + Number(value), 0)
}

/** `object` is sent through the gateway whose turn it is; anything but 200 fails, with what was said. */
export async function request(mixed: Mixed, path: string, object: unknown) {
  const { status, body } = await mixed.api().post(path, object)
  if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`)
  return body.responseObject
}

async function importLines(mixed: Mixed, path: string, lines: readonly unknown[]): Promise<void> {
  const body = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
  const response = await mixed.api().call('PUT', path, { body, headers: { 'content-type': 'application/x-ndjson' } })
  if (response.status !== 200 || response.body.responseObject.imported !== lines.length)
    throw new Error(`${path}: ${response.status} ${JSON.stringify(response.body)}`)
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** Through the API. From the first call on, the simulator lets in none but the keys that were uploaded. */
export async function configure(mixed: Mixed, appId: string): Promise<void> {
  await request(mixed, '/admin/app/create', { appId })
  await uploadApnsKey(mixed, appId, { bundle: `com.example.${appId}`, keyId: 'KEYIDFIRST' })
  const projectId = 'test-project'
  await request(mixed, '/admin/app/android/update', {
    appId,
    projectId,
    privateKeyBase64: base64(generateServiceAccount()),
  })
  await request(mixed, '/admin/app/huawei/update', { appId, projectId, clientId: '1', clientSecret: 'secret' })
}

export interface ApnsIdentity {
  /** Pushes show it as their topic. */
  bundle: string
  /** Ten characters. */
  keyId: string
}

export async function uploadApnsKey(mixed: Mixed, appId: string, { bundle, keyId }: ApnsIdentity): Promise<void> {
  const privateKey = KEYS[keyId] ?? (KEYS[keyId] = generateApnsKey())
  const publicKeyPem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()
  const teamId = 'TEAMID1234'
  mixed.stack.simulator.addApnsKey({ keyId, teamId, publicKeyPem })
  const privateKeyBase64 = base64(privateKey)
  await request(mixed, '/admin/app/ios/update', { appId, bundle, keyId, teamId, privateKeyBase64 })
}
const KEYS: Record<string, string> = {}

export interface Phone {
  userId: string
  platform: Platform
  token: string
}

/** So many users, each with a phone of every platform. Tokens begin with the application's name. */
export const phonesOf = (appId: string, users: number): Phone[] =>
  Array.from({ length: users }, (_, user) =>
    PLATFORMS.map((platform, place) => ({
      userId: `${appId}-${user}`,
      platform,
      token: Buffer.from(`${appId}-${user}-${place}`).toString('hex').padEnd(64, '0'),
    })),
  ).flat()

/** Registers each of them by a request of its own. */
export async function registerPhones(mixed: Mixed, appId: string, phones: readonly Phone[]): Promise<void> {
  for (const phone of phones) {
    const activation = { activationId: activationOf(phone), activationStatus: 'ACTIVE' }
    await request(mixed, '/push/device/create', { appId, ...phone, ...activation })
  }
}

/** Registers all of them by one upload. */
export const importPhones = (mixed: Mixed, appId: string, phones: readonly Phone[]) =>
  importLines(
    mixed,
    `/push/device/import?appId=${appId}`,
    phones.map((phone) => ({ ...phone, activationId: activationOf(phone) })),
  )

const activationOf = ({ platform, userId }: Phone) => `${platform}-${userId}`

export const importUsers = (mixed: Mixed, campaign: string, phones: readonly Phone[]) =>
  importLines(mixed, `/push/campaign/${campaign}/user/import`, [...new Set(phones.map(({ userId }) => userId))])

/** Tokens of the pushes that had this text, sorted: one that had it twice stands there twice. */
export const arrivals = ({ stack }: Mixed, text: string): string[] =>
  pushesWith(stack, text)
    .map(({ token }) => token)
    .sort()

export const pushesWith = ({ simulator }: TestStack, text: string) =>
  simulator.pushes.filter(({ payload }) => JSON.stringify(payload).includes(`"${text}"`))

export const tokensOf = (phones: readonly Phone[]): string[] => phones.map(({ token }) => token).sort()

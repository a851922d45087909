// A migrated database with a store on it, and short ways to what the tests start from.
import { randomBytes, randomUUID } from 'node:crypto'
import { PLATFORMS, type Platform } from '@push-server/contract'
import type { Test } from 'tap'
import pg from 'pg'
import { createDatabase, waitFor, type TestDatabase } from '@push-server/testing'
import {
  migrate,
  openStore,
  PASSED,
  type ChunkRecord,
  type Claim,
  type DeadToken,
  type DeliveryRecord,
  type KeyedRequest,
  type NewChunk,
  type NewKey,
  type NewRequest,
  type Recipient,
  type Registration,
  type Release,
  type Store,
  type StoredChunk,
} from '../src/index.ts'
import type { StatusCount } from '../src/messages/status.ts'

export const KEY = randomBytes(32).toString('base64')
export const LEASE_MS = 30_000

export const everyPlatform = (value: number) =>
  Object.fromEntries(PLATFORMS.map((platform) => [platform, value])) as Record<Platform, number>

export const open = (url: string, more: Partial<Parameters<typeof openStore>[0]> = {}): Store =>
  openStore({ url, connections: 10, encryptionKey: KEY, onError: () => {}, ...more })

export interface Fixture {
  database: TestDatabase
  store: Store
  close(): Promise<void>
}

export async function openFixture(given?: TestDatabase): Promise<Fixture> {
  const database = given ?? (await createDatabase())
  await migrate(database.url)
  const store = open(database.url)
  return {
    database,
    store,
    async close() {
      await store.close()
      await database.close()
    },
  }
}

/** An application of a name of its own. */
export async function makeApplication({ store }: Fixture) {
  const appId = `app-${randomUUID()}`
  await store.applications.create(appId)
  const row = await store.applications.find(appId)
  if (!row) throw new Error('The application was not created')
  return { appId, id: row.id }
}

export const registration = (applicationId: number, more: Partial<Registration> = {}): Registration => ({
  applicationId,
  activationId: randomUUID(),
  userId: 'user',
  platform: 'ios',
  environment: null,
  token: randomBytes(32).toString('hex'),
  active: true,
  ...more,
})

export const recipient = (more: Partial<Recipient> = {}): Recipient => ({
  deviceId: 1,
  userId: 'user',
  activationId: randomUUID(),
  platform: 'ios',
  environment: null,
  token: randomBytes(32).toString('hex'),
  active: true,
  ...more,
})

export const message = (more: object = {}) => ({
  id: randomUUID() as string,
  userId: 'user',
  activationId: null,
  priority: 'HIGH' as const,
  silent: false,
  personal: false,
  body: { title: 'Balance update' },
  validUntil: null,
  ...more,
})

/** A request that is stored alone. */
export interface OneRequest extends NewRequest {
  chunks: readonly (Pick<NewChunk, 'seed' | 'platform'> & Partial<Pick<NewChunk, 'sendAt'>>)[]
  waiter: string | null
  maxAgeMs: number
}

const chunksOf = ({ applicationId, chunks, waiter }: OneRequest) =>
  chunks.map(({ seed, platform, sendAt = null }) => ({ seed, platform, applicationId, waiter, sendAt }))

export async function storeOne({ messages }: Pick<Store, 'messages'>, request: OneRequest): Promise<StoredChunk[]> {
  const { maxAgeMs } = request
  const { chunks } = await messages.store({ requests: [request], chunks: chunksOf(request), maxAgeMs })
  return [...chunks]
}

/** Resolves with its chunks, or with what stands under the key. */
export async function storeOnce(
  { messages }: Pick<Store, 'messages'>,
  request: OneRequest,
  key: NewKey,
): Promise<StoredChunk[] | KeyedRequest> {
  const { maxAgeMs } = request
  const batch = { requests: [{ ...request, key }], chunks: chunksOf(request), maxAgeMs }
  const { chunks, requests } = await messages.storeKeyed(batch)
  const [standing] = requests
  const isOwn = standing?.messageIds[0] === request.messages[0]?.id
  return standing && !isOwn ? standing : [...chunks]
}

/** Over all of the messages. */
export async function tallyOf({ messages }: Pick<Store, 'messages'>, ids: readonly string[]): Promise<StatusCount[]> {
  const counts = await messages.tallies(ids)
  return [...Map.groupBy(counts, ({ platform, status }) => `${platform}/${status}`).values()].flatMap(
    ([first, ...more]) =>
      first
        ? {
            platform: first.platform,
            status: first.status,
            count: more.reduce((sum, { count }) => sum + count, first.count),
          }
        : [],
  )
}

export async function audienceOf({ messages }: Pick<Store, 'messages'>, appId: string, userIds: readonly string[]) {
  const [audience] = await messages.audiences([{ appId, userIds }])
  return audience
}

export async function findKeyed({ messages }: Pick<Store, 'messages'>, appId: string, key: string) {
  const [found] = await messages.findKeyed([{ appId, key }])
  return found
}

/** Undefined when it cannot be claimed, now or ever. */
export async function claimOne({ chunks }: Pick<Store, 'chunks'>, id: number, owner: string, leaseMs: number) {
  const [claimed] = await chunks.claim([id], owner, leaseMs)
  return claimed === PASSED ? undefined : claimed
}

export interface OneRecord {
  deliveries: readonly DeliveryRecord[]
  deadTokens: readonly DeadToken[]
}

/** A checkpoint of one chunk. */
export function recordOne(
  { chunks }: Pick<Store, 'chunks'>,
  claim: Claim,
  owner: string,
  { deliveries, deadTokens, ...release }: OneRecord & { dueAt?: number | null },
): Promise<Release | undefined> {
  const record: ChunkRecord = {
    claim,
    deliveries,
    release: release.dueAt === undefined ? undefined : { dueAt: release.dueAt },
  }
  return deadTokens.length > 0
    ? chunks.recordAndDrop(owner, record, deadTokens)
    : chunks.record(owner, [record]).then(([written]) => written)
}

/** The last record of a claim. */
export const releaseOne = (
  store: Pick<Store, 'chunks'>,
  claim: Claim,
  owner: string,
  ending: OneRecord & { dueAt: number | null },
) => recordOne(store, claim, owner, ending)

export interface ChunkOptions {
  deliveries?: number
  platform?: Platform
  waiter?: string | null
  maxAgeMs?: number
}

/** A message to several devices, stored as one chunk. */
export async function storeChunk({ database, store }: Fixture, applicationId: number, options: ChunkOptions = {}) {
  const { deliveries: total = 1, platform = 'ios', waiter = null, maxAgeMs = 3_600_000 } = options
  const stored = message()
  const seed = randomUUID()
  const [chunk] = await storeOne(store, {
    applicationId,
    messages: [stored],
    chunks: [{ seed, platform }],
    deliveries: Array.from({ length: total }, (_, position) => ({
      messageId: stored.id,
      chunk: { seed, position },
      recipient: recipient({ platform }),
      status: 'pending' as const,
      reason: null,
    })),
    waiter,
    maxAgeMs,
  })
  if (!chunk) throw new Error('No chunk was stored')
  const rows = await database.query<{ id: string }>('SELECT id FROM deliveries WHERE chunk_id = $1 ORDER BY position', [
    chunk.id,
  ])
  return { ...chunk, messageId: stored.id, seed, deliveries: rows.map((row) => Number(row.id)) }
}

/** A delivery that was sent, unless told otherwise. */
export const outcome = (id: number | undefined, more: Partial<DeliveryRecord> = {}): DeliveryRecord => ({
  id: id ?? Number.NaN,
  status: 'sent',
  reason: null,
  attempts: 1,
  nextAttemptAt: null,
  providerId: null,
  ...more,
})

export interface ChunkState {
  owner: string | null
  epoch: number
  leased: boolean
  settled: boolean
  try: number
  sent: number
  failed: number
  reasons: Record<string, number>
}

export async function chunkState({ database }: Fixture, id: number): Promise<ChunkState> {
  const [row] = await database.query<ChunkState>(
    `SELECT owner, epoch, coalesce(lease_until > now(), false) AS leased, settled_at IS NOT NULL AS settled, try, sent,
       failed, reasons FROM chunks WHERE id = $1`,
    [id],
  )
  if (!row) throw new Error(`There is no chunk ${id}`)
  return row
}

/** Resolves when `count` statements of the database wait for a lock, or `work` is done before that. */
export async function whileBlocked({ database }: Fixture, count: number, work: Promise<unknown>): Promise<void> {
  let done = false
  const end = () => void (done = true)
  work.then(end, end)
  await waitFor('a statement that waits', async () => {
    const waiting = await database.query(
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    )
    return done || waiting.length >= count
  })
}

/** A connection with an open transaction; it ends with the test at the latest. */
export async function openTransaction(t: Test, { database }: Fixture): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  t.teardown(() => client.end())
  await client.query('BEGIN')
  return client
}

/** Rows that no registration would make, such as two with one token. */
export async function insertDevice({ database }: Fixture, device: Registration, droppedAt: Date | null = null) {
  await database.query(
    `INSERT INTO devices (application_id, activation_id, user_id, platform, token, active, bucket, dropped_at)
     VALUES ($1, $2, $3, $4, $5, true, 0, $6)`,
    [device.applicationId, device.activationId, device.userId, device.platform, device.token, droppedAt],
  )
}

export const newKey = () => randomBytes(32).toString('base64')
export const newToken = () => randomBytes(32).toString('hex')

// What the life of direct messages costs PostgreSQL: stored in batches, claimed, recorded, removed; by the store's own statements.
import { randomBytes, randomUUID } from 'node:crypto'
import type { Context } from '@push-server/domain'
import type { Probe } from './probe.ts'

type Store = Context['store']

export interface MessagesOptions {
  messages: number
  /** Messages of one storing statement, all of one application. */
  batch: number
  /** Batches under way at a time. */
  inFlight: number
  /** Applications, which batches take in turn. */
  applications: readonly number[]
  /** A channel that is notified of each batch's outcomes; null: nobody waits. */
  waiter: string | null
}

const LEASE_MS = 30_000
const DAY_MS = 86_400_000

export async function deliverMessages(store: Store, options: MessagesOptions): Promise<void> {
  const { messages, batch, inFlight, applications, waiter } = options
  const batches = Math.ceil(messages / batch)
  let next = 0
  const lane = async () => {
    for (let place = next++; place < batches; place = next++) {
      const applicationId = applications[place % applications.length] ?? 0
      await deliverBatch(store, { applicationId, size: Math.min(batch, messages - place * batch), waiter })
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
}

interface BatchOptions {
  applicationId: number
  size: number
  waiter: string | null
}

async function deliverBatch(store: Store, { applicationId, size, waiter }: BatchOptions): Promise<void> {
  const seed = randomUUID()
  const { chunks } = await store.messages.store({
    maxAgeMs: DAY_MS,
    chunks: [{ seed, applicationId, platform: 'ios', waiter, sendAt: null }],
    requests: Array.from({ length: size }, (_, position) => requestOf(applicationId, { seed, position })),
  })
  const owner = 'bench'
  const [claim] = await store.chunks.claim(
    chunks.map(({ id }) => id),
    owner,
    LEASE_MS,
  )
  if (claim === undefined || claim === 'passed') throw new Error('The chunk was not claimed')
  const deliveries = claim.deliveries.map(({ id }) => ({
    id,
    status: 'sent' as const,
    reason: null,
    attempts: 1,
    nextAttemptAt: null,
    providerId: randomUUID(),
  }))
  const [release] = await store.chunks.record(owner, [{ claim, deliveries, release: { dueAt: null } }])
  if (!release?.settled) throw new Error('The chunk was not settled')
}

function requestOf(applicationId: number, chunk: { seed: string; position: number }) {
  const id = randomUUID()
  const userId = `user-${Math.floor(Math.random() * 10_000)}`
  const activationId = randomUUID()
  const message = {
    id,
    userId,
    activationId: null,
    priority: 'HIGH' as const,
    silent: false,
    personal: false,
    body: {
      title: 'Balance update',
      body: 'Your account has a new entry of 1,234.00',
      badge: 1,
      extras: { entry: id },
    },
    validUntil: null,
  }
  const token = randomBytes(32).toString('hex')
  const recipient = {
    deviceId: 1,
    userId,
    activationId,
    platform: 'ios' as const,
    environment: null,
    token,
    active: true,
  }
  const delivery = { messageId: id, chunk, recipient, status: 'pending' as const, reason: null }
  return { applicationId, messages: [message], deliveries: [delivery] }
}

/** Removes messages that are made old, step by step as the scheduler does. Resolves with their number. */
export async function removeMessages({ retention }: Store, probe: Probe): Promise<number> {
  await probe.query("UPDATE chunks SET settled_at = settled_at - interval '90 days' WHERE settled_at IS NOT NULL")
  await probe.query("UPDATE messages SET created_at = created_at - interval '90 days'")
  await probe.begin()
  const STEP = 1_000
  let removed = 0
  while ((await retention.removeChunks(DAY_MS, STEP / 10)) > 0);
  for (let step = STEP; step === STEP; removed += step)
    step = await retention.removeMessages(DAY_MS, STEP, { keyed: false })
  return removed
}

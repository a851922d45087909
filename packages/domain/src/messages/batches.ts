// What the requests of all callers share: each statement serves every request that has arrived by then.
import { unavailable } from '@push-server/contract'
import { boundedBy, fulfilled, openNaturalBatches, runDivided, type Ended } from '@push-server/runtime'
import type {
  Audience,
  AudienceQuery,
  KeyedRequest,
  MessageCount,
  NewChunk,
  NewDelivery,
  NewRequest,
  NewKey,
  NewMessage,
  StoredBatch,
  StoredChunk,
} from '@push-server/store'
import type { Context } from '../context.ts'
import { enqueueFirst } from './enqueue.ts'
import { shareChunks, type Sharing } from './plan.ts'
import type { AwaitedPart } from './awaited-chunks.ts'

/** Deliveries of a request that wait in one chunk. */
export interface StoredPart extends AwaitedPart {
  /** Its platform is paused, or it is to be sent later: its deliveries are pending for longer than anybody waits. */
  waits: boolean
}

export interface StoringRequest extends Sharing, Pick<NewRequest, 'correlationId' | 'traceContext'> {
  messages: readonly NewMessage[]
  key: NewKey | undefined
  /** Nobody waits for the response any more, or it has taken too long already. */
  isOver(): boolean
  /** Called as soon as it is stored, before any of its jobs is added. */
  onStored(parts: readonly StoredPart[]): void
}

export interface StoredRequest {
  /** Resolves once its jobs were added, or could not be. */
  enqueued: Promise<void>
}

/** What became of a request that was to be stored: its application may have gone, its key may be taken. */
export type Storing = { stored: StoredRequest } | { earlier: KeyedRequest } | { applicationGone: true }

export interface MessageBatches {
  audience(query: AudienceQuery): Promise<Audience | undefined>
  /** What stands under the key and can still be repeated. */
  findKeyed(appId: string, key: string): Promise<KeyedRequest | undefined>
  store(request: StoringRequest): Promise<Storing>
  /** Counts of the messages' deliveries. */
  tally(messageIds: readonly string[]): Promise<MessageCount[]>
}

/** Rows of a batch: a body has a few kilobytes at most, so they bound its bytes, too. */
const MOST_ROWS = 2_000
/** How long an application's requests are stored alone after one that PostgreSQL rejected. */
const ALONE_MS = 10_000
const RETRY_AFTER_S = 2

export function openMessageBatches(context: Pick<Context, 'config' | 'store' | 'queues' | 'log'>): MessageBatches {
  const { config, store } = context
  const { size, weightOf } = boundedBy(config.directBatchRequests, MOST_ROWS)
  const limits = { size, inFlight: config.directBatches }

  const audiences = openNaturalBatches<AudienceQuery, Audience | undefined>({
    ...limits,
    weigh: ({ userIds }) => weightOf(userIds.length),
    groupOf: ({ appId }) => appId,
    run: async (queries) => (await store.messages.audiences(queries)).map(fulfilled),
  })
  const keyed = openNaturalBatches<{ appId: string; key: string }, KeyedRequest | undefined>({
    ...limits,
    weigh: () => weightOf(1),
    groupOf: ({ appId }) => appId,
    run: async (keys) => (await store.messages.findKeyed(keys)).map(fulfilled),
  })
  const tallies = openNaturalBatches<readonly string[], MessageCount[]>({
    ...limits,
    weigh: (ids) => weightOf(ids.length),
    async run(requests) {
      const counts = Map.groupBy(await store.messages.tallies(requests.flat()), ({ messageId }) => messageId)
      return requests.map((ids) => fulfilled(ids.flatMap((id) => counts.get(id) ?? [])))
    },
  })
  const storing = openStoring(context)

  return {
    audience: (query) => audiences.add(query),
    findKeyed: (appId, key) => keyed.add({ appId, key }),
    tally: (messageIds) => tallies.add(messageIds),
    store: storing,
  }
}

/** Requests with a key go apart: they may wait for those of other gateways. */
function openStoring(context: Pick<Context, 'config' | 'store' | 'queues' | 'log'>) {
  const { config, store } = context
  const { size, weightOf } = boundedBy(config.directBatchRequests, MOST_ROWS)
  /** Until when an application's requests are stored alone, on the clock of `performance`. */
  const alone = new Map<number, number>()
  const batch = (run: (requests: readonly StoringRequest[]) => Promise<readonly Storing[]>) =>
    openNaturalBatches<StoringRequest, Storing>({
      size,
      inFlight: config.directBatches,
      weigh: ({ messages, planned }) => weightOf(Math.max(messages.length, planned.length)),
      groupOf: ({ applicationId }) => applicationId,
      keyOf: ({ applicationId, key }) => key && `${applicationId}/${key.key}`,
      isOver: (request) => (request.isOver() ? tooLate() : undefined),
      isAlone: ({ applicationId }) => isAlone(alone, applicationId),
      async run(requests) {
        const ended = await runDivided(requests, run, store.batchErrors)
        for (const id of spoilersOf(requests, ended, store)) alone.set(id, performance.now() + ALONE_MS)
        return ended
      },
    })
  const unkeyed = batch((requests) => storeUnkeyed(context, requests))
  const keyed = batch((requests) => storeKeyed(context, requests))
  return (request: StoringRequest) => (request.key ? keyed : unkeyed).add(request)
}

const tooLate = () =>
  unavailable('The database was too slow to store the request in time; nothing was stored', RETRY_AFTER_S)

function isAlone(alone: Map<number, number>, applicationId: number): boolean {
  const until = alone.get(applicationId)
  if (until === undefined) return false
  if (performance.now() < until) return true
  alone.delete(applicationId)
  return false
}

/**
 * Applications whose requests PostgreSQL has rejected. Such a request costs its neighbours a few statements more: not again and
 * again.
 */
const spoilersOf = (
  requests: readonly StoringRequest[],
  ended: readonly Ended<Storing>[],
  { isDataError }: Pick<Context['store'], 'isDataError'>,
): number[] =>
  requests.flatMap(({ applicationId }, place) => {
    const end = ended[place]
    return end?.status === 'rejected' && isDataError(end.reason) ? applicationId : []
  })

async function storeUnkeyed(context: StoringContext, requests: readonly StoringRequest[]): Promise<Storing[]> {
  const { config, store } = context
  const { chunks, deliveries } = shareChunks(requests)
  const rows = requests.map((request, place) => ({ ...request, deliveries: deliveries[place] ?? [] }))
  const batch = await store.messages.store({ requests: rows, chunks, maxAgeMs: config.deliveryMaxAge })
  const isStored = requests.map(({ applicationId }) => batch.applicationIds.has(applicationId))
  const stored = finish(context, { requests, deliveries, isStored, batch, chunks })
  return isStored.map((is) => (is ? { stored } : { applicationGone: true }))
}

async function storeKeyed(context: StoringContext, requests: readonly StoringRequest[]): Promise<Storing[]> {
  const { config, store } = context
  const { chunks, deliveries } = shareChunks(requests)
  const rows = requests.flatMap(({ key, ...request }, place) =>
    key ? { ...request, key, deliveries: deliveries[place] ?? [] } : [],
  )
  const batch = await store.messages.storeKeyed({ requests: rows, chunks, maxAgeMs: config.deliveryMaxAge })
  const isStored = requests.map(({ messages }, place) => batch.requests[place]?.messageIds[0] === messages[0]?.id)
  const stored = finish(context, { requests, deliveries, isStored, batch, chunks })
  return isStored.map((is, place) => {
    const earlier = batch.requests[place]
    return is ? { stored } : earlier ? { earlier } : { applicationGone: true }
  })
}

type StoringContext = Pick<Context, 'config' | 'store' | 'queues' | 'log'>

interface Finish {
  requests: readonly StoringRequest[]
  deliveries: readonly (readonly NewDelivery[])[]
  isStored: readonly boolean[]
  batch: StoredBatch
  chunks: readonly NewChunk[]
}

/** A stored chunk, and when it is to be sent: ms since the epoch, null = now. */
type TimedChunk = StoredChunk & Pick<NewChunk, 'sendAt'>

/**
 * Tells each request that it is stored, then adds the jobs of all of them. One that is sent later has its job from the start, even while
 * its platform is paused: the pause may be over by then.
 */
function finish(context: StoringContext, { requests, deliveries, isStored, batch, chunks }: Finish): StoredRequest {
  const times = new Map(chunks.map(({ seed, sendAt }) => [seed, sendAt]))
  const timed = batch.chunks.map((chunk) => ({ ...chunk, sendAt: times.get(chunk.seed) ?? null }))
  const bySeed = new Map(timed.map((chunk) => [chunk.seed, chunk]))
  for (const [place, request] of requests.entries())
    if (isStored[place]) request.onStored(partsOf(deliveries[place] ?? [], bySeed))
  return {
    enqueued: enqueueFirst(
      context,
      timed.filter(({ paused, sendAt }) => !paused || sendAt !== null),
      context.log,
    ),
  }
}

function partsOf(deliveries: readonly NewDelivery[], bySeed: ReadonlyMap<string, TimedChunk>): StoredPart[] {
  const pending = deliveries.flatMap(({ chunk }) => chunk ?? [])
  return [...Map.groupBy(pending, ({ seed }) => seed)].flatMap(([seed, places]) => {
    const chunk = bySeed.get(seed)
    if (!chunk) return []
    const { id: chunkId, platform, paused, sendAt } = chunk
    return { chunkId, platform, waits: paused || sendAt !== null, positions: places.map(({ position }) => position) }
  })
}

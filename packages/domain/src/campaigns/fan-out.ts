// Moving runs on: what is due is fired, partitions are cut into chunks, chunks get their jobs, and runs that are done settle.
import type { ChunkJob, Platform } from '@push-server/contract'
import { PLATFORMS } from '@push-server/contract'
import type { FanOutOptions, FanningOutRun } from '@push-server/store'
import type { Context } from '../context.ts'

type FanOut = Pick<Context, 'config' | 'store' | 'queues' | 'log'>

/** Twice as many as of direct messages: nobody waits for one, and what a chunk costs by itself is shared by more. */
const CHUNK_SIZES: Readonly<Record<Platform, number>> = { ios: 1000, android: 1000, huawei: 1000 }
/** Chunks of one statement. */
const BATCH = 500
/** Jobs of one call to the queue. */
const JOBS = 1000

const cutOptions = ({ config }: FanOut): FanOutOptions => ({
  usersPerPartition: config.campaignPartition,
  chunkSizes: CHUNK_SIZES,
  maxAgeMs: config.deliveryMaxAgeCampaign,
})

/**
 * One round over all runs; true when there is more to cut at once. Any number of schedulers may do it at the same time: each
 * partition is cut by one of them.
 */
export async function moveRuns(context: FanOut): Promise<boolean> {
  const { config, log, store } = context
  for (const { id, campaignId, state } of await store.runs.fire(config.campaignGrace)) {
    if (state === 'missed') log.error({ runId: id, campaignId }, 'scheduled run missed: it was due too long ago')
    else log.info({ runId: id, campaignId }, 'scheduled run started')
  }
  let isMore = false
  // A partition of each: a large run keeps no other one waiting.
  for (const run of await store.runs.fanningOut()) if (await cutSome(context, run)) isMore = true
  await closeCancelled(context)
  await store.runs.sample()
  for (const { id, campaignId } of await store.runs.settle()) log.info({ runId: id, campaignId }, 'run settled')
  await inBatches((limit) => store.runChunks.forgetTokens(limit))
  return isMore
}

/** True when a partition was cut. What fails here is the run's own trouble: the others go on. */
async function cutSome(context: FanOut, run: FanningOutRun): Promise<boolean> {
  const { log, store } = context
  const names = { runId: run.id, campaignId: run.campaignId }
  try {
    if (await cutPartition(context, run)) return true
    await store.runs.finish(run.id)
  } catch (error) {
    if (!store.isDataError(error)) {
      log.warn({ err: error, ...names }, 'cutting failed; the next look tries again')
      return false
    }
    await store.runs.fail(run.id)
    log.error({ err: error, ...names }, 'run failed: its audience cannot be cut')
  }
  return false
}

/** False when there is no partition that is in nobody's hands. */
async function cutPartition(context: FanOut, run: FanningOutRun): Promise<boolean> {
  const { log, store } = context
  const options = cutOptions(context)
  const since = performance.now()
  if (!run.isPartitioned) await store.runs.partition(run, options)
  const fanOut = await store.runs.fanOut(run, options)
  if (!fanOut) return false
  const ms = Math.round(performance.now() - since)
  log.info({ runId: run.id, campaignId: run.campaignId, chunks: fanOut.chunks.length, ms }, 'partition cut into chunks')
  if (!fanOut.paused) await enqueue(context, fanOut.chunks.map(jobOf(run.applicationId)))
  return true
}

const jobOf =
  (applicationId: number) =>
  ({ id, platform, try: number = 0 }: { id: number; platform: Platform; try?: number }): ChunkJob => ({
    chunkId: id,
    applicationId,
    platform,
    lane: 'campaign',
    try: number,
    delayMs: 0,
  })

/** A queue that is away is no fault: the sweep finds chunks without a job. */
async function enqueue({ queues, log }: Pick<FanOut, 'queues' | 'log'>, jobs: readonly ChunkJob[]): Promise<void> {
  // Platforms side by side, so that none waits until all jobs of another are enqueued.
  const byPlatform = PLATFORMS.map((platform) => jobs.filter((job) => job.platform === platform))
  for (let start = 0; byPlatform.some((some) => some.length > start); start += JOBS) {
    const next = byPlatform.flatMap((some) => some.slice(start, start + JOBS))
    try {
      await queues.enqueue(next)
    } catch (error) {
      log.warn({ err: error, chunks: next.length }, 'enqueueing failed; the sweep will do it')
      return
    }
  }
}

/** Jobs for what a resumed run has left; those that still wait in the queue are not added again. */
export async function enqueueOpenChunks(
  context: Pick<FanOut, 'store' | 'queues' | 'log'>,
  runId: number,
): Promise<void> {
  const open = await context.store.runs.open(runId)
  await enqueue(
    context,
    open.map((chunk) => jobOf(chunk.applicationId)(chunk)),
  )
}

async function closeCancelled({ store, log }: FanOut): Promise<void> {
  const closed = await inBatches((limit) => store.runChunks.close(limit))
  if (closed > 0) log.info({ chunks: closed }, 'chunks of cancelled runs closed')
}

/** Until nothing is left; answers how many there were. */
async function inBatches(work: (limit: number) => Promise<number>): Promise<number> {
  let total = 0
  for (let count = BATCH; count === BATCH; total += count) count = await work(BATCH)
  return total
}

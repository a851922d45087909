// Moves runs on: starts those that are due, fans partitions out into chunks, enqueues the chunks, and completes finished runs.
import type { ChunkJob, Platform } from '@push-server/contract'
import { PLATFORMS } from '@push-server/contract'
import { PROVIDERS } from '@push-server/providers'
import type { FanOutOptions, FanningOutRun } from '@push-server/store'
import { jobOf } from '../chunk-job.ts'
import type { Context } from '../context.ts'

type FanOutContext = Pick<Context, 'config' | 'store' | 'queues' | 'log'>

const CHUNK_SIZES = Object.fromEntries(
  PLATFORMS.map((platform) => [platform, PROVIDERS[platform].chunkSize.campaign]),
) as Record<Platform, number>
/** Maximum number of chunks of one statement. */
const BATCH = 500
/** Rows of one step that notes whom runs leave out; the next step removes the next ones. */
const REACHED = 20_000
/** Maximum number of jobs of one call to the queue. */
const JOBS = 1000

const fanOutOptions = ({ config }: FanOutContext): FanOutOptions => ({
  usersPerPartition: config.campaignPartition,
  chunkSizes: CHUNK_SIZES,
  maxAgeMs: config.deliveryMaxAgeCampaign,
})

/**
 * One round over all runs; true when there is more to fan out at once. Any number of schedulers may do it at the same time: each
 * partition is fanned out by one of them.
 */
export async function moveRuns(context: FanOutContext): Promise<boolean> {
  const { config, log, store } = context
  for (const { id, campaignId, state } of await store.runs.fire(config.campaignGrace)) {
    if (state === 'missed') log.error({ runId: id, campaignId }, 'scheduled run missed')
    else log.info({ runId: id, campaignId }, 'scheduled run started')
  }
  let isMore = false
  // One partition of each run: a large run keeps no other one waiting.
  for (const run of await store.runs.fanningOut()) if (await fanOutRun(context, run)) isMore = true
  await closeCancelled(context)
  await store.runs.sample()
  for (const { id, campaignId } of await store.runs.settle()) log.info({ runId: id, campaignId }, 'run completed')
  await inBatches((limit) => store.runChunks.forgetTokens(limit))
  await store.campaigns.forgetReached(REACHED)
  return isMore
}

/** True when a partition was fanned out. A failure concerns this run alone: the others go on. */
async function fanOutRun(context: FanOutContext, run: FanningOutRun): Promise<boolean> {
  const { log, store } = context
  const names = { runId: run.id, campaignId: run.campaignId }
  try {
    if (await fanOutPartition(context, run)) return true
    await store.runs.finish(run.id)
  } catch (error) {
    if (!store.isDataError(error)) {
      log.warn({ err: error, ...names }, 'fan-out failed, retrying')
      return false
    }
    await store.runs.fail(run.id)
    log.error({ err: error, ...names }, 'run failed: its audience cannot be fanned out')
  }
  return false
}

/** False when no partition is left, or other schedulers have locked the rest. */
async function fanOutPartition(context: FanOutContext, run: FanningOutRun): Promise<boolean> {
  const { log, store } = context
  const options = fanOutOptions(context)
  const since = performance.now()
  if (!run.isPartitioned) await store.runs.partition(run, options)
  const fanOut = await store.runs.fanOut(run, options)
  if (!fanOut) return false
  const ms = Math.round(performance.now() - since)
  log.info({ runId: run.id, campaignId: run.campaignId, chunks: fanOut.chunks.length, ms }, 'partition fanned out')
  if (!fanOut.paused) {
    const { applicationId } = run
    await enqueue(
      context,
      fanOut.chunks.map((chunk) => jobOf({ ...chunk, applicationId, lane: 'campaign' })),
    )
  }
  return true
}

/** An unavailable queue is no failure: the sweep finds chunks without a job. */
async function enqueue(
  { queues, log }: Pick<FanOutContext, 'queues' | 'log'>,
  jobs: readonly ChunkJob[],
): Promise<void> {
  // Platforms side by side, so that none waits until all jobs of another are enqueued.
  const byPlatform = PLATFORMS.map((platform) => jobs.filter((job) => job.platform === platform))
  for (let start = 0; byPlatform.some((some) => some.length > start); start += JOBS) {
    const next = byPlatform.flatMap((some) => some.slice(start, start + JOBS))
    try {
      await queues.enqueue(next)
    } catch (error) {
      log.warn({ err: error, chunks: next.length }, 'enqueueing failed, the sweep will retry')
      return
    }
  }
}

/** Enqueues the open chunks of a resumed run; the queue ignores jobs that it still has. */
export async function enqueueOpenChunks(
  context: Pick<FanOutContext, 'store' | 'queues' | 'log'>,
  runId: number,
): Promise<void> {
  const open = await context.store.runs.open(runId)
  await enqueue(
    context,
    open.map((chunk) => jobOf({ ...chunk, lane: 'campaign' })),
  )
}

async function closeCancelled({ store, log }: FanOutContext): Promise<void> {
  const closed = await inBatches((limit) => store.runChunks.close(limit))
  if (closed > 0) log.info({ chunks: closed }, 'chunks of cancelled runs closed')
}

/** Repeats the work until nothing is left; resolves with the total count. */
async function inBatches(work: (limit: number) => Promise<number>): Promise<number> {
  let total = 0
  for (let count = BATCH; count === BATCH; total += count) count = await work(BATCH)
  return total
}

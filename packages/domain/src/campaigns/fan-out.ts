// Moving runs on: what is due is fired, partitions are cut into chunks, chunks get their jobs, and runs that are done settle.
import type { ChunkJob, Platform } from '@push-server/contract'
import { PLATFORMS } from '@push-server/contract'
import type { CutOptions, RunRow } from '@push-server/store'
import type { Context } from '../context.ts'

type FanOut = Pick<Context, 'config' | 'store' | 'queues' | 'log'>

/** Twice as many as of direct messages: nobody waits for one, and what a chunk costs by itself is shared by more. */
const CHUNK_SIZES: Readonly<Record<Platform, number>> = { ios: 1000, android: 1000, huawei: 1000 }
const CLOSE_BATCH = 500
/** Jobs of one call to the queue. */
const JOBS = 1000

const cutOptions = ({ config }: FanOut): CutOptions => ({
  usersPerPartition: config.campaignPartition,
  chunkSizes: CHUNK_SIZES,
  maxAgeMs: config.deliveryMaxAgeCampaign,
})

/** One round over all runs. Any number of schedulers may do it at once: each partition is cut by one of them. */
export async function moveRuns(context: FanOut): Promise<void> {
  const { config, log, store } = context
  for (const { id, campaignId, state } of await store.runs.fire(config.campaignGrace)) {
    if (state === 'missed') log.error({ runId: id, campaignId }, 'scheduled run missed: it was due too long ago')
    else log.info({ runId: id, campaignId }, 'scheduled run started')
  }
  for (const run of await store.runs.fanningOut()) await cutRun(context, run)
  await closeCancelled(context)
  for (const { id, campaignId } of await store.runs.settle()) {
    await store.runChunks.forgetTokens(id)
    log.info({ runId: id, campaignId }, 'run settled')
  }
}

async function cutRun(context: FanOut, run: RunRow): Promise<void> {
  const { log, store } = context
  const options = cutOptions(context)
  const since = performance.now()
  let chunks = 0
  try {
    await store.runs.partition(run, options)
    for (let cut = await store.runs.cut(run, options); cut; cut = await store.runs.cut(run, options)) {
      chunks += cut.chunks.length
      if (!cut.paused) await enqueue(context, cut.chunks.map(jobOf(run.applicationId)))
    }
    await store.runs.finish(run.id)
  } catch (error) {
    if (!store.isRefused(error)) throw error
    await store.runs.fail(run.id)
    log.error({ err: error, runId: run.id, campaignId: run.campaignId }, 'run failed: its audience cannot be cut')
  }
  if (chunks > 0)
    log.info({ runId: run.id, chunks, ms: Math.round(performance.now() - since) }, 'audience cut into chunks')
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
  for (let closed = CLOSE_BATCH; closed === CLOSE_BATCH;) {
    closed = await store.runChunks.close(CLOSE_BATCH)
    if (closed > 0) log.info({ chunks: closed }, 'chunks of cancelled runs closed')
  }
}

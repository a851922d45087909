// What follows once a chunk is out of hand: pauses begin or end, and what is not settled gets its next job.
import type { Release } from '@push-server/store'
import type { ChunkDelivery } from './delivery-state.ts'

/** Never rejects: the sweep does what could not be done here. */
export async function afterRelease(work: ChunkDelivery, release: Release): Promise<void> {
  const { log, metrics, platform } = work.worker
  if (release.dropped > 0) {
    metrics.dropped(platform, release.dropped)
    log.info({ devices: release.dropped }, 'devices with dead tokens dropped')
  }
  try {
    const isPaused = (await judgeProbe(work)) || (await pauseFor(work))
    if (!release.settled && !isPaused) await enqueueNext(work, release)
  } catch (error) {
    log.warn({ err: error }, 'the next try could not be arranged; the sweep will do it')
  }
}

/** True when the chunk was a probe that found the platform still paused. */
async function judgeProbe({ worker, chunk, failure, isProven }: ChunkDelivery): Promise<boolean> {
  if (!chunk.probe) return false
  const { log, platform, store } = worker
  const { applicationId } = chunk
  if (isProven && failure === undefined) {
    await store.pauses.resume({ applicationId, platform }, { all: false })
    log.warn({ applicationId, platform }, 'platform resumed: a probe got through')
    return false
  }
  await store.pauses.probed({ applicationId, platform }, chunk.id)
  log.warn({ applicationId, platform, reason: failure }, 'platform stays paused: a probe did not get through')
  return true
}

/** True when the platform is paused now because of this chunk. */
async function pauseFor({ worker, chunk, failure }: ChunkDelivery): Promise<boolean> {
  if (failure === undefined || chunk.credentialsVersion === null) return false
  const { log, platform, store } = worker
  const { applicationId, credentialsVersion: version } = chunk
  const isPaused = await store.pauses.pause({ applicationId, platform, version, reason: failure })
  if (isPaused)
    log.error(
      { applicationId, platform, reason: failure },
      'platform paused: its credentials are at fault; it is probed, and waits for new ones or to be resumed',
    )
  return isPaused
}

/** What is held waits without a job. */
async function enqueueNext({ worker, chunk, hold }: ChunkDelivery, release: Release): Promise<void> {
  if (hold.signal.reason === 'paused') return
  const next = { ...chunk, chunkId: chunk.id, try: release.try, delayMs: release.delayMs }
  await worker.queues.enqueue([next])
}

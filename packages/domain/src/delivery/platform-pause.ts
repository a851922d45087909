// After a chunk's release: pauses of the platform begin or end, and a chunk that is not settled gets its next job.
import type { Release, RestOfChunk } from '@push-server/store'
import { jobOf } from '../chunk-job.ts'
import type { ChunkDelivery } from './delivery-state.ts'

/** Never rejects: the sweep repeats what failed here. */
export async function afterRelease(work: ChunkDelivery, release: Release): Promise<void> {
  const { log, metrics, platform } = work.worker
  if (release.dropped > 0) {
    metrics.dropped(platform, release.dropped)
    log.info({ devices: release.dropped }, 'devices with dead tokens dropped')
  }
  try {
    const rest = await setAside(work, release)
    const isPaused = (await endProbe(work)) || (await pauseOnError(work))
    if (!release.settled && !isPaused) await enqueueNext(work, rest)
  } catch (error) {
    log.warn({ err: error }, 'enqueueing the next attempt failed, the sweep will retry')
  }
}

/** The chunk that has what is still pending: itself, unless something of it has ended. */
async function setAside({ worker: { store }, chunk }: ChunkDelivery, release: Release): Promise<RestOfChunk> {
  const { try: number, pending, ended, delayMs } = release
  const rest = chunk.lane === 'direct' && pending > 0 && ended > 0 ? await store.chunks.setAside(chunk.id) : undefined
  return rest ?? { id: chunk.id, try: number, pending, delayMs }
}

/** True when the chunk was a probe and the platform stays paused. */
async function endProbe({ worker, chunk, failure, isProven }: ChunkDelivery): Promise<boolean> {
  if (!chunk.probe) return false
  const { log, platform, store } = worker
  const { applicationId } = chunk
  if (isProven && failure === undefined) {
    await store.pauses.resume({ applicationId, platform }, { all: false })
    log.warn({ applicationId, platform }, 'platform resumed: probe succeeded')
    return false
  }
  await store.pauses.probed({ applicationId, platform }, chunk.id)
  log.warn({ applicationId, platform, reason: failure }, 'platform stays paused: probe failed')
  return true
}

/** True when the platform is paused now because of this chunk. */
async function pauseOnError({ worker, chunk, failure }: ChunkDelivery): Promise<boolean> {
  if (failure === undefined || chunk.credentialsVersion === null) return false
  const { log, platform, store } = worker
  const { applicationId, credentialsVersion: version } = chunk
  const isPaused = await store.pauses.pause({ applicationId, platform, version, reason: failure })
  if (isPaused)
    log.error(
      { applicationId, platform, reason: failure },
      'platform paused: credentials refused; it resumes with new credentials, a successful probe or by request',
    )
  return isPaused
}

/** A chunk of a paused run waits without a job. */
async function enqueueNext({ worker, chunk, lease }: ChunkDelivery, rest: RestOfChunk): Promise<void> {
  if (lease.signal.reason === 'paused') return
  await worker.queues.enqueue([jobOf({ ...chunk, id: rest.id, try: rest.try, size: rest.pending }, rest.delayMs)])
}

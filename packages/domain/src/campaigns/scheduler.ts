// The service that moves runs on: whenever the database notifies it, and at every poll.
import { RUNS_CHANNEL } from '@push-server/store'
import type { Service } from '../context.ts'
import { pause } from '../pause.ts'
import { moveRuns } from './fan-out.ts'

/** A scheduled run starts, and a finished run completes, at most so late. */
const POLL_MS = 500
/** A database slower than this has reasons other than the fan-out. */
const LONGEST_PAUSE_MS = 2000

export const runScheduler: Service = async (context) => {
  const { log, store } = context
  let running: Promise<void> | undefined
  let isRequested = false
  const stopping = new AbortController()

  async function moveAll(): Promise<void> {
    do {
      isRequested = false
      const since = performance.now()
      const isMore = await moveRuns(context).catch((error: unknown) => {
        log.warn({ err: error }, 'moving runs on failed, retrying')
        return false
      })
      isRequested ||= isMore
      // The fan-out is well ahead of the pushes. Half of the database's time is left for other work, direct messages above all.
      if (isMore) await pause(Math.min(performance.now() - since, LONGEST_PAUSE_MS), stopping.signal)
    } while (isRequested && !stopping.signal.aborted)
  }
  function poll(): void {
    isRequested = true
    if (stopping.signal.aborted) return
    running ??= moveAll().finally(() => (running = undefined))
  }

  const listener = await store.listen({ channel: RUNS_CHANNEL, onNotification: poll, onReconnect: poll })
  const timer = setInterval(poll, POLL_MS)
  return async () => {
    stopping.abort()
    clearInterval(timer)
    await listener.close()
    await running
  }
}

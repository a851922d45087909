// The service that moves runs on. Told by the database when there is something to do, and looking for itself all the same.
import { RUNS_CHANNEL } from '@push-server/store'
import type { Service } from '../context.ts'
import { pause } from '../pause.ts'
import { moveRuns } from './fan-out.ts'

/** Also how late a scheduled run may start and a finished one may be seen to be. */
const LOOK_MS = 500
/** A database that takes its time has reasons other than the cut. */
const LONGEST_PAUSE_MS = 2000

export const runScheduler: Service = async (context) => {
  const { log, store } = context
  let running: Promise<void> | undefined
  let again = false
  const stopping = new AbortController()

  async function round(): Promise<void> {
    do {
      again = false
      const since = performance.now()
      const isMore = await moveRuns(context).catch((error: unknown) => {
        log.warn({ err: error }, 'moving runs on failed; the next look tries again')
        return false
      })
      again ||= isMore
      // The cut is well ahead of the pushes; what else the database is asked for, direct messages above all, gets half of its time.
      if (isMore) await pause(Math.min(performance.now() - since, LONGEST_PAUSE_MS), stopping.signal)
    } while (again && !stopping.signal.aborted)
  }
  function poll(): void {
    again = true
    if (stopping.signal.aborted) return
    running ??= round().finally(() => (running = undefined))
  }

  const listener = await store.listen({ channel: RUNS_CHANNEL, onNotification: poll, onReconnect: poll })
  const timer = setInterval(poll, LOOK_MS)
  return async () => {
    stopping.abort()
    clearInterval(timer)
    await listener.close()
    await running
  }
}

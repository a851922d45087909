// Waits for pushes in tests: a condition is checked whenever a request was counted, never by polling.
import type { PushLog } from './push-log.ts'
import type { Push } from './push.ts'

export type Condition = (pushes: readonly Push[]) => boolean

export function createWaiting(pushLog: PushLog) {
  const stopped = new AbortController()

  /** Resolves as soon as the condition holds, rejects after `timeoutMs` or when the simulator stops before. */
  function waitFor(condition: Condition, timeoutMs = 30_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        try {
          if (condition(pushLog.pushes)) end(resolve)
        } catch (error) {
          end(() => reject(error))
        }
      }
      const end = (settle: () => void) => {
        stopListening()
        clearTimeout(timer)
        stopped.signal.removeEventListener('abort', onStop)
        settle()
      }
      const fail = (why: string) => end(() => reject(new Error(`${why}; counts: ${JSON.stringify(pushLog.stats())}`)))
      const onStop = () => fail('The simulator stopped before the condition held')
      const timer = setTimeout(() => fail(`The condition did not hold within ${timeoutMs} ms`), timeoutMs)
      const stopListening = pushLog.listen(check)
      stopped.signal.addEventListener('abort', onStop)
      if (stopped.signal.aborted) onStop()
      else check()
    })
  }
  return { waitFor, stop: () => stopped.abort() }
}

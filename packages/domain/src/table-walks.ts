// Rewrites table rows of former versions: migrations leave it to the scheduler, which does it in short steps.
import type { Context, Service } from './context.ts'
import { pause } from './pause.ts'

/** A database slower than this has reasons other than the step. */
const LONGEST_PAUSE_MS = 2000

interface Walk {
  /** Logged with the counts of all its steps. */
  message: string
  /** Resolves with the counts of its rows; undefined when there is nothing to do just now. */
  step(): Promise<object | undefined>
}

const walksOf = ({ deviceRespelling, activationBinding }: Context['store']): Walk[] => [
  { message: 'iOS tokens respelled', step: () => deviceRespelling.step() },
  { message: 'activations bound to their applications', step: () => activationBinding.step() },
]

/** Takes steps until there are none. Logs the counts, unless all are zero. */
async function walk({ message, step }: Walk, { log }: Pick<Context, 'log'>, signal: AbortSignal): Promise<void> {
  const counts: Record<string, number> = {}
  while (!signal.aborted) {
    const since = performance.now()
    const counted = await step()
    if (!counted) break
    for (const [name, count] of Object.entries(counted)) counts[name] = (counts[name] ?? 0) + Number(count)
    // Rests as long as the step took, so that other statements get half of the time.
    await pause(Math.min(performance.now() - since, LONGEST_PAUSE_MS), signal)
  }
  if (Object.values(counts).some((count) => count > 0)) log.info(counts, message)
}

/** The service that takes the steps. Any number may run: rows that one has locked the others skip. */
export const tableWalks: Service = async (context) => {
  const { config, log, store } = context
  const stopping = new AbortController()
  let running: Promise<void> | undefined

  async function pass(): Promise<void> {
    for (const one of walksOf(store))
      await walk(one, context, stopping.signal).catch((error: unknown) => {
        log.warn({ err: error, walk: one.message }, 'rewriting a table failed, retrying in the next pass')
      })
  }
  const poll = () => void (running ??= pass().finally(() => (running = undefined)))

  poll()
  const timer = setInterval(poll, config.sweepInterval)
  return async () => {
    clearInterval(timer)
    stopping.abort()
    await running
  }
}

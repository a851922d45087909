// The frame of a process: start, wait for a signal, stop in good order.
import { boundGarbage } from './memory.ts'
import { printable, printableLines, printableStack } from './printable.ts'

/** Stops what runs, in good order. */
export type Stop = () => Promise<void> | void

/** How long a start that is to stop may go on before the process ends without it: it may wait for a lock of the database. */
const START_ENDS_WITHIN_MS = 10_000
/** As a shell would count it. */
const INTERRUPTED = 130

/**
 * Starts a service and stops it on SIGINT or SIGTERM; a second signal ends the process at once. A signal that comes during the start
 * aborts `stopping`: `start` then closes what it has opened, and rejects with the signal's reason. An error of starting or stopping goes
 * to stderr as one text and makes the exit code 1.
 */
export async function runProcess(start: (stopping: AbortSignal) => Promise<Stop>): Promise<void> {
  boundGarbage()
  const stopping = new AbortController()
  let isStarted = false
  const signalled = nextSignal(() => {
    for (const signal of SIGNALS) process.once(signal, () => process.exit(INTERRUPTED))
    stopping.abort()
    setTimeout(() => isStarted || process.exit(INTERRUPTED), START_ENDS_WITHIN_MS).unref()
  })
  try {
    const stop = await start(stopping.signal)
    isStarted = true
    await signalled
    await stop()
    process.exit(0)
  } catch (error) {
    if (!isStarted && error === stopping.signal.reason) process.exit(INTERRUPTED)
    process.stderr.write(`${readable(error)}\n`)
    process.exit(1)
  }
}

/** Runs a task to its end. Its errors are printed as those of a service. */
export async function runOnce(task: () => Promise<void>): Promise<void> {
  try {
    await task()
  } catch (error) {
    process.stderr.write(`${readable(error)}\n`)
    process.exitCode = 1
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** Calls `onSignal` at once, and resolves then. */
async function nextSignal(onSignal: () => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  for (const signal of SIGNALS) process.once(signal, () => resolve())
  await promise
  onSignal()
}

/** Errors of configuration are printed without their stack: a person causes and corrects them. */
function readable(error: unknown): string {
  if (!(error instanceof Error)) return printable(String(error))
  return error.name === 'ConfigError' ? printableLines(error.message) : printableStack(error)
}

// The frame of a process: start, wait for a signal, stop in good order.
import { boundGarbage } from './memory.ts'
import { printable, printableLines, printableStack } from './printable.ts'

/** Stops what runs, in good order. */
export type Stop = () => Promise<void> | void

/**
 * Starts a service and stops it on SIGINT or SIGTERM; a second signal ends the process at once. An error of starting or
 * stopping goes to stderr as one text and makes the exit code 1.
 */
export async function runProcess(start: () => Promise<Stop>): Promise<void> {
  boundGarbage()
  try {
    const stop = await start()
    await nextSignal()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
    await stop()
    process.exit(0)
  } catch (error) {
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

const nextSignal = () =>
  new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })

/** Errors of configuration are printed without their stack: a person causes and corrects them. */
function readable(error: unknown): string {
  if (!(error instanceof Error)) return printable(String(error))
  return error.name === 'ConfigError' ? printableLines(error.message) : printableStack(error)
}

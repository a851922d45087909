// The frame of a benchmark that starts servers: they are stopped before its error is printed, and then it ends at once.
import { runOnce } from '@push-server/runtime'

/** What a person can correct, such as a program that is not installed, is printed as one sentence. */
export async function runBenchmark(task: () => Promise<void>): Promise<void> {
  await runOnce(task)
  // What was given up may still be waiting.
  if (process.exitCode) process.exit()
}

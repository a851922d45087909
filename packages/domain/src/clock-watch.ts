// Watches how far the process's clock is from the database's. Nothing is delivered by the process's clock, but its log lines are dated
// by it, and BullMQ promotes delayed jobs by it.
import type { Close, Logger, Metrics } from '@push-server/runtime'
import type { Store } from '@push-server/store'

/** NTP keeps clocks within a few ms. */
const MOST_OFFSET_MS = 2_000
const READ_EVERY_MS = 10_000

/** Reads the database's clock now and every ten seconds, until the function that it resolves with is called. */
export async function watchClock({
  store,
  log,
  metrics,
}: {
  store: Pick<Store, 'clock'>
  log: Logger
  metrics: Pick<Metrics, 'clockOffset'>
}): Promise<Close> {
  const { clock } = store
  let isReported = false

  async function read(): Promise<void> {
    try {
      await clock.read()
    } catch (error) {
      return log.warn({ err: error }, 'reading the database’s clock failed, the last reading counts')
    }
    report(clock.offset())
  }

  function report(offsetMs: number): void {
    const isOff = Math.abs(offsetMs) > MOST_OFFSET_MS
    if (isOff && !isReported)
      log.error(
        { offsetMs },
        'the clock of this process differs from the database’s, whose clock counts; check NTP on both machines',
      )
    if (!isOff && isReported) log.info({ offsetMs }, 'the clock of this process agrees with the database’s again')
    isReported = isOff
  }

  metrics.clockOffset(() => clock.offset() / 1000)
  await read()
  const timer = setInterval(() => void read(), READ_EVERY_MS)
  return async () => clearInterval(timer)
}

// The rate of a run: its chunks are pushed in slices, each at the time that the store has reserved, so that all workers together
// keep to the rate.
import { pause } from '../pause.ts'

/** Duration of one slice at the rate, in seconds. */
const SLICE_S = 0.25

export interface RatedPush {
  /** Number of deliveries that are still to be pushed. */
  left(): number
  /** Pushes per second over all workers. */
  rate: number
  /** Once aborted no push starts. */
  signal: AbortSignal
  /** Reserves `size` pushes; resolves with the ms until they may start. */
  reserve(size: number): Promise<number>
  /** Pushes the next `size` deliveries of those that are left then. */
  push(size: number): Promise<void>
}

export async function pushAtRate({ left, rate, signal, reserve, push }: RatedPush): Promise<void> {
  for (let count = left(); count > 0 && !signal.aborted; count = left()) {
    const size = Math.min(count, Math.max(1, Math.ceil(rate * SLICE_S)))
    await pause(await reserve(size), signal)
    if (signal.aborted) return
    await push(size)
  }
}

// A chunk of a run with a rate: pushed in slices, each at the time that the store promises, so that all workers together
// keep to the rate.
import { pause } from '../pause.ts'

/** Seconds of the rate that one slice takes. */
const SLICE_S = 0.25

export interface RatedPush {
  /** How many are still to be pushed. */
  left(): number
  /** Pushes per second over all workers. */
  rate: number
  /** Once aborted nothing more is started. */
  signal: AbortSignal
  /** Promises so many pushes; answers in how many ms they may start. */
  reserve(size: number): Promise<number>
  /** Pushes the next `size` of those that are left then. */
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

// A chunk of a run with a rate: pushed in slices, each at the time that the store promises, so that all workers together
// keep to the rate.
import { pause } from '../pause.ts'

/** Seconds of the rate that one slice takes. */
const SLICE_S = 0.25

export interface Paced {
  count: number
  /** Pushes per second over all workers. */
  rate: number
  /** Once aborted nothing more is started. */
  signal: AbortSignal
  /** Promises so many pushes; answers in how many ms they may start. */
  reserve(size: number): Promise<number>
  push(start: number, end: number): Promise<void>
}

export async function pace({ count, rate, signal, reserve, push }: Paced): Promise<void> {
  for (let start = 0; start < count && !signal.aborted;) {
    const size = Math.min(count - start, Math.max(1, Math.ceil(rate * SLICE_S)))
    await pause(await reserve(size), signal)
    if (signal.aborted) return
    await push(start, start + size)
    start += size
  }
}

// How fast HMS lets an application push. There is no number for it, only HTTP 503: it halves the requests in flight, each
// other answer brings one of them back, and a Retry-After holds back everything until then.
import type { Window } from '../window.ts'

export interface Flow {
  readonly window: Window
  /** Until when nothing is to be sent: ms since the epoch, possibly past. */
  readonly heldUntil: number
  /** How often it was slowed down. A request keeps the number it started with. */
  readonly cuts: number
  /** After an answer that let a request pass. */
  passed(): void
  /** After flow control; a request that started before the last cut is no reason for another one. */
  refused(startedAt: { cuts: number }, notBefore?: number): void
}

/** Takes over the size of `window`; `most`: its size when nothing stands in the way. */
export function createFlow(window: Window, most: number): Flow {
  let size = Math.max(1, most)
  let cuts = 0
  let heldUntil = 0
  return {
    window,
    get heldUntil() {
      return heldUntil
    },
    get cuts() {
      return cuts
    },
    passed() {
      if (size < most) window.resize(++size)
    },
    refused(startedAt, notBefore = 0) {
      heldUntil = Math.max(heldUntil, notBefore)
      if (startedAt.cuts < cuts) return
      cuts++
      size = Math.max(1, Math.floor(size / 2))
      window.resize(size)
    },
  }
}

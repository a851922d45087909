// The body of an upload, read as fast as it is used and under limits that the server keeps: of silence, of slowness, of time
// in all, and of the process that stops. Only the sender's time counts, not ours between the pieces.
import { ApiError, invalidRequest } from '@push-server/contract'
import type { IncomingMessage } from 'node:http'

export interface UploadLimits {
  /** Longest silence; also what a slow sender is given before its rate counts. */
  idleMs: number
  /** Minimum rate of the sender in bytes a second. */
  minRate: number
  /** Longest time from the first read to the last byte. */
  timeoutMs: number
  /** Aborted, with an error for the sender, when the process stops. */
  signal?: AbortSignal | undefined
  /** The sender was too slow. */
  onSlow?(): void
}

const tooSlow = (limit: string) =>
  new ApiError('ERROR_REQUEST', `The body came too slowly: ${limit}; nothing was kept`, { statusCode: 408 })

/** Throws an ApiError: 408 when a limit is passed, 400 when the sender goes away, the signal's reason when the process stops. */
export async function* readUpload(raw: IncomingMessage, limits: UploadLimits): AsyncGenerator<Buffer> {
  const { idleMs, minRate, timeoutMs } = limits
  const end = performance.now() + timeoutMs
  let bytes = 0
  let waited = 0
  /** What the parser says of a request that goes wrong is emitted, and leaves the stream as it was. */
  let broken: Error | undefined
  const onError = (error: Error) => void (broken = error)

  /** Waits for more, and says which limit was passed. */
  async function wait(): Promise<void> {
    const start = performance.now()
    const credit = idleMs + (bytes / minRate) * 1000 - waited
    const left = end - start
    const event = await nextEvent(raw, Math.min(idleMs, credit, left), limits.signal)
    waited += performance.now() - start
    if (event !== 'timeout') return
    limits.onSlow?.()
    if (left <= Math.min(idleMs, credit)) throw tooSlow(`it was not there within IMPORT_TIMEOUT (${timeoutMs} ms)`)
    if (credit < idleMs) throw tooSlow(`below IMPORT_MIN_RATE (${minRate} bytes a second)`)
    throw tooSlow(`silent for IMPORT_IDLE (${idleMs} ms)`)
  }

  raw.on('error', onError)
  try {
    for (;;) {
      limits.signal?.throwIfAborted()
      if (raw.readableEnded) return
      if (broken instanceof ApiError) throw broken
      if (broken || raw.errored || raw.destroyed)
        throw invalidRequest([{ fieldName: 'body', hint: 'ended before its time' }], broken ?? raw.errored ?? undefined)
      const piece = raw.read() as Buffer | null
      if (piece !== null) {
        bytes += piece.length
        yield piece
      } else await wait()
    }
  } finally {
    raw.off('error', onError)
  }
}

const EVENTS = ['readable', 'end', 'close', 'error'] as const

/** Whatever comes first; leaves no listener behind. */
function nextEvent(raw: IncomingMessage, ms: number, signal: AbortSignal | undefined): Promise<'timeout' | 'event'> {
  return new Promise((resolve) => {
    const done = (event: 'timeout' | 'event') => {
      clearTimeout(timer)
      for (const name of EVENTS) raw.off(name, onEvent)
      signal?.removeEventListener('abort', onEvent)
      resolve(event)
    }
    const onEvent = () => done('event')
    const timer = setTimeout(() => done('timeout'), Math.max(0, ms))
    for (const name of EVENTS) raw.on(name, onEvent)
    signal?.addEventListener('abort', onEvent)
  })
}

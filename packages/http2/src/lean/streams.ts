// The streams of one connection (RFC 9113 section 5.1): open, closed, or never opened.
import { ConnectionError } from '../connection-error.ts'
import type { Exchange, Stream } from '../session.ts'
import type { ResponseBody } from './response-body.ts'
import { OpenStreams } from './open-streams.ts'

/** Ids end at 2^31 - 1, which one busy connection reaches within a day or two. */
const LAST_STREAM_ID = 0x7fff_fffd

/** The session of the streams. */
export interface StreamOwner {
  isWritten(stream: LeanStream): boolean
  cancel(stream: LeanStream): void
}

export class LeanStream implements Stream {
  readonly id: number
  readonly exchange: Exchange
  readonly #owner: StreamOwner
  isClosed = false
  /** Octets it may send more, or fewer when negative, than the peer's initial window says. */
  credit = 0
  /** The part of the request's body that is not sent yet. */
  rest: Buffer | undefined
  /** Status of the response; 0 until it arrives. */
  status = 0
  /** Octets of DATA, padding included. */
  received = 0
  headers: Record<string, string> | undefined
  contentLength: number | undefined
  body: ResponseBody | undefined

  constructor(id: number, exchange: Exchange, owner: StreamOwner) {
    this.id = id
    this.exchange = exchange
    this.#owner = owner
  }

  get isWritten() {
    return this.#owner.isWritten(this)
  }

  cancel() {
    if (!this.isClosed) this.#owner.cancel(this)
  }
}

export class Streams {
  readonly #open = new OpenStreams<LeanStream>()
  readonly #owner: StreamOwner
  #nextId: number
  /** The highest that we have reset. */
  #lastReset = 0

  /** `firstId`: 1, but for tests of what happens at the end. */
  constructor(firstId: number, owner: StreamOwner) {
    this.#nextId = firstId
    this.#owner = owner
  }

  get size() {
    return this.#open.size
  }

  get areUsedUp() {
    return this.#nextId > LAST_STREAM_ID
  }

  add(exchange: Exchange): LeanStream {
    const stream = new LeanStream(this.#nextId, exchange, this.#owner)
    this.#nextId += 2
    this.#open.add(stream)
    return stream
  }

  get(id: number): LeanStream | undefined {
    return this.#open.get(id)
  }

  close(stream: LeanStream, isReset: boolean) {
    stream.isClosed = true
    stream.rest = undefined
    if (isReset) this.#lastReset = Math.max(this.#lastReset, stream.id)
    this.#open.delete(stream)
  }

  /** In the order they were opened in. */
  above(id: number): LeanStream[] {
    return this.all().filter((stream) => stream.id > id)
  }

  all(): LeanStream[] {
    return this.#open.all()
  }

  /** Throws for a stream that was never opened: ours are odd, and the peer may open none. */
  refuseIdle(id: number) {
    if (id % 2 === 0 || id >= this.#nextId) {
      throw new ConnectionError('PROTOCOL_ERROR', `a frame on stream ${id}, which was never opened`)
    }
  }

  /**
   * Throws for a response that goes on after its end. Frames that the peer sent before it saw a reset are no error (RFC 9113 section
   * 5.4.2). The streams that were reset are not kept one by one, so any frame up to the last of them passes.
   */
  refuseClosed(id: number) {
    this.refuseIdle(id)
    if (id > this.#lastReset) throw new ConnectionError('STREAM_CLOSED', `a frame on stream ${id}, which has ended`)
  }
}

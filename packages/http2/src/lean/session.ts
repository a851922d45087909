// The lean transport: HTTP/2 framed by ourselves over one TLS socket. It supports what a client of push providers needs, POSTs with
// small bodies, at a fraction of the cost of node:http2. Reading is inbound.ts, writing is outbound.ts.
import type { TLSSocket } from 'node:tls'
import { ErrorCode, ConnectionError } from '../connection-error.ts'
import {
  reasonOf,
  unknown,
  unsent,
  type Ending,
  type Exchange,
  type OpenSession,
  type Session,
  type SessionEvents,
  type Stream,
} from '../session.ts'
import { FloodLimit } from './flood-limit.ts'
import { FrameType } from './frame.ts'
import { Inbound } from './inbound.ts'
import type { InboundEvents } from './inbound-parts.ts'
import { GREETING } from './our-settings.ts'
import { Outbound } from './outbound.ts'
import { PeerSettings } from './peer-settings.ts'
import { PendingResets } from './pending-resets.ts'
import { Streams, type LeanStream } from './streams.ts'

const NEVER_OPENED: Stream = { isWritten: false, cancel() {} }
/** The first octet tells the purpose of a PING: whether the peer lives, or whether it has seen our resets. */
const LIFE_PING = Buffer.of(0, 0, 0, 0, 0, 0, 0, 0)
const RESET_PING = Buffer.of(1, 0, 0, 0, 0, 0, 0, 0)

export const openLeanSession: OpenSession = (socket, origin, events) => new LeanSession(socket, origin, events)

export class LeanSession implements Session, InboundEvents {
  readonly #socket: TLSSocket
  readonly #events: SessionEvents
  readonly #settings = new PeerSettings()
  readonly #floodLimit = new FloodLimit()
  readonly #streams: Streams
  readonly #outbound: Outbound
  readonly #inbound: Inbound
  readonly #resets = new PendingResets(() => this.#ping(RESET_PING))
  #isRetired = false
  #isEnding = false
  #error: string | undefined

  /** `firstStream`: see Streams. */
  // oxlint-disable-next-line max-params -- the three of OpenSession, and one for tests
  constructor(socket: TLSSocket, origin: URL, events: SessionEvents, firstStream = 1) {
    this.#socket = socket
    this.#events = events
    this.#streams = new Streams(firstStream, {
      isWritten: ({ id }) => id <= this.#outbound.lastWritten,
      cancel: (stream) => this.#close(stream, ErrorCode.CANCEL),
    })
    this.#outbound = new Outbound(socket, origin.host, this.#settings)
    this.#inbound = new Inbound({
      streams: this.#streams,
      settings: this.#settings,
      outbound: this.#outbound,
      floodLimit: this.#floodLimit,
      events: this,
    })
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('drain', () => this.#onDrain())
    socket.on('error', (error) => (this.#error ??= reasonOf(error)))
    socket.on('close', () => this.#onClose())
    socket.write(GREETING)
  }

  get streams() {
    return this.#isRetired || this.#socket.destroyed ? 0 : this.#settings.maxStreams
  }

  get inFlight() {
    return this.#streams.size + this.#resets.size
  }

  get isFull() {
    return this.#outbound.isFull
  }

  open(exchange: Exchange): Stream {
    try {
      this.#outbound.admit(exchange.request)
    } catch (error) {
      process.nextTick(() => this.#events.ended(exchange, unsent(reasonOf(error))))
      return NEVER_OPENED
    }
    const stream = this.#streams.add(exchange)
    this.#floodLimit.requestMade()
    this.#outbound.request(stream)
    if (this.#streams.areUsedUp) {
      this.#isRetired = true
      process.nextTick(() => this.#events.retired('stream ids used up'))
    }
    return stream
  }

  ping() {
    this.#ping(LIFE_PING)
  }

  destroy(reason: string) {
    this.#end(ErrorCode.NO_ERROR, reason)
  }

  settings() {
    this.#events.settings()
  }

  ended(stream: LeanStream, ending: Ending) {
    // The response arrived before the body had gone out (RFC 9113 section 8.1): the rest is not needed.
    if (ending.kind === 'response' && stream.rest) return this.#finish(stream, ending, ErrorCode.CANCEL)
    this.#finish(stream, ending)
  }

  broken(stream: LeanStream, code: number, reason: string) {
    this.#finish(stream, unknown(reason), code)
  }

  /** Streams above `lastStream` were not processed (RFC 9113 section 6.8). */
  goaway(code: number, lastStream: number, words: string) {
    const reason = `GOAWAY ${code} ${words}`.trim()
    this.#isRetired = true
    if (code !== ErrorCode.NO_ERROR) this.#error ??= reason
    this.#events.retired(reason)
    for (const stream of this.#streams.above(lastStream)) this.#finish(stream, unsent(reason))
    if (code !== ErrorCode.NO_ERROR) this.#end(ErrorCode.NO_ERROR, reason)
  }

  ponged(payload: Buffer) {
    if (payload.equals(LIFE_PING)) this.#events.ponged()
    if (!payload.equals(RESET_PING)) return
    this.#resets.confirmed()
    this.#events.freed()
  }

  #read(chunk: Buffer) {
    try {
      this.#inbound.read(chunk)
    } catch (error) {
      // Any other error came out of a caller's `settle`.
      if (!(error instanceof ConnectionError)) throw error
      this.#end(error.code, error.message)
    }
  }

  /** `code`: resets the stream, which the peer takes for open. */
  #finish(stream: LeanStream, ending: Ending, code?: number) {
    this.#close(stream, code)
    this.#events.ended(stream.exchange, ending)
    this.#events.freed()
  }

  #close(stream: LeanStream, code?: number) {
    this.#streams.close(stream, code !== undefined)
    if (code === undefined) return
    this.#outbound.reset(stream.id, code)
    this.#resets.add()
  }

  #ping(payload: Buffer) {
    this.#outbound.frame(FrameType.PING, 0, { payload })
  }

  #onDrain() {
    const wasFull = this.#outbound.isFull
    this.#outbound.flush()
    if (wasFull && !this.#outbound.isFull) this.#events.freed()
  }

  #end(code: number, reason: string) {
    if (this.#isEnding) return
    this.#isEnding = true
    this.#isRetired = true
    this.#error ??= reason
    this.#inbound.stop()
    this.#outbound.goaway(code, reason)
    this.#outbound.flush()
    this.#socket.end()
    // A frozen peer reads nothing, and is not waited for. Bytes that the socket takes have gone out by then.
    setImmediate(() => this.#socket.destroy())
  }

  #onClose() {
    this.#isRetired = true
    this.#events.closed(this.#error ?? 'the origin closed the connection')
  }
}

// The transport over node:http2, the only file that knows its quirks.
import { connect, constants, sensitiveHeaders, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Http2Request } from './client.ts'
import { NodeResponse } from './node-response.ts'
import {
  MAX_RESPONSE_BYTES,
  reasonOf,
  unknown,
  unsent,
  type Ending,
  type Exchange,
  type OpenSession,
  type Session,
  type SessionEvents,
  type Stream,
} from './session.ts'

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants

/** Stream ids end at 2^31 - 1, which one busy connection reaches within a day or two; node:http2 fails all streams then. */
const LAST_STREAM_ID = 0x7fff_0000

const NEVER_OPENED: Stream = { isWritten: false, cancel() {} }

export const openNodeSession: OpenSession = (socket, origin, events) => new NodeSession(socket, origin, events)

class NodeSession implements Session {
  inFlight = 0
  /** node:http2 does not say. */
  readonly isFull = false
  readonly #socket: TLSSocket
  readonly #origin: URL
  readonly #events: SessionEvents
  readonly #session: ClientHttp2Session
  #limit = 0
  /** Highest stream id the peer will have processed, by its GOAWAY. */
  #lastProcessed = Infinity
  #error: string | undefined

  constructor(socket: TLSSocket, origin: URL, events: SessionEvents) {
    this.#socket = socket
    this.#origin = origin
    this.#events = events
    this.#session = connect(origin, { createConnection: () => socket, settings: { enablePush: false } })
    this.#session.on('remoteSettings', (settings) => {
      this.#limit = settings.maxConcurrentStreams ?? 100
      events.settings()
    })
    this.#session.on('goaway', (code, lastStreamId, data) => this.#onGoaway(code, lastStreamId, data))
    this.#session.on('error', (error) => (this.#error ??= reasonOf(error)))
    this.#session.on('close', () => events.closed(this.#error ?? 'the origin closed the connection'))
  }

  /** A session that has lost its socket says so by `closed` at once, by its event only a moment later. */
  get streams() {
    return this.#session.closed || this.#session.destroyed ? 0 : this.#limit
  }

  open(exchange: Exchange): Stream {
    let stream: ClientHttp2Stream
    try {
      stream = this.#session.request(this.#headersOf(exchange.request))
    } catch (error) {
      process.nextTick(() => this.#events.ended(exchange, unsent(reasonOf(error))))
      return NEVER_OPENED
    }
    this.inFlight++
    this.#follow(stream, exchange)
    stream.end(exchange.request.body)
    if ((stream.id ?? 0) > LAST_STREAM_ID) process.nextTick(() => this.#events.retired('stream ids used up'))
    // node:http2 does not tell when it writes.
    return { isWritten: true, cancel: () => stream.close(NGHTTP2_CANCEL) }
  }

  ping() {
    if (this.#session.destroyed) return
    this.#session.ping((error) => {
      if (!error) this.#events.ponged()
    })
  }

  destroy(reason: string) {
    this.#error ??= reason
    this.#session.destroy()
    // The session waits until everything is written, which with a frozen peer is never. GOAWAY has gone out by then, if it can.
    setImmediate(() => this.#socket.destroy())
  }

  #headersOf({ path, headers, extra }: Http2Request) {
    const all: Record<string | symbol, string | string[]> = {
      ':method': 'POST',
      ':scheme': 'https',
      ':authority': this.#origin.host,
      ':path': path,
      ...headers,
    }
    if (extra) {
      for (const [name, value] of extra) all[name] = value
      // Never indexed (RFC 7541 section 6.2.3): indexed, they would drive the shared headers out of the peer's table.
      all[sensitiveHeaders] = extra.map(([name]) => name)
    }
    return all
  }

  #follow(stream: ClientHttp2Stream, exchange: Exchange) {
    const response = new NodeResponse()
    let failure: string | undefined
    let ended = false
    const end = (ending: Ending) => {
      if (!ended) this.#events.ended(exchange, ending)
      ended = true
    }
    stream.on('response', (headers) => response.begin(headers))
    stream.on('data', (chunk: Buffer) => {
      if (response.add(chunk)) return
      end(unknown(`response longer than ${MAX_RESPONSE_BYTES} bytes`))
      stream.close(NGHTTP2_CANCEL)
    })
    // A stream that was reset may end as well, so an end alone is no response.
    stream.on('end', () => {
      const ending = stream.rstCode === NGHTTP2_NO_ERROR ? response.ending() : undefined
      if (!ending) return
      end(ending)
      // The response arrived before the body had gone out (RFC 9113 section 8.1): the rest is not needed.
      if (!stream.writableFinished) stream.close(NGHTTP2_CANCEL)
    })
    stream.on('error', (error) => (failure = reasonOf(error)))
    stream.on('close', () => {
      this.inFlight--
      end(this.#fateOf(stream, failure))
      this.#events.freed()
    })
  }

  /** The ending of a stream that closed without a response. */
  #fateOf({ id, rstCode }: ClientHttp2Stream, failure: string | undefined): Ending {
    const reason = this.#error ?? failure ?? `stream closed with code ${rstCode}`
    const untouched = id === undefined || id > this.#lastProcessed || rstCode === NGHTTP2_REFUSED_STREAM
    return untouched ? unsent(reason) : unknown(reason)
  }

  /** Emitted before node:http2 closes the session, or destroys it for a code other than 0, and its streams with it. */
  #onGoaway(code: number, lastStreamId: number, data?: Uint8Array) {
    this.#lastProcessed = lastStreamId
    const words = Buffer.from(data ?? [])
      .toString('latin1', 0, 200)
      .replace(/[^\x20-\x7e]/g, '.')
    const reason = `GOAWAY ${code} ${words}`.trim()
    if (code !== NGHTTP2_NO_ERROR) this.#error = reason
    this.#events.retired(reason)
  }
}

// Writes the frames of a connection: they are collected and leave together in few writes (write-scheduler.ts). Bodies wait here for
// flow control (RFC 9113 section 5.2).
import type { TLSSocket } from 'node:tls'
import type { Http2Request } from '../client.ts'
import { ErrorCode, ConnectionError } from '../connection-error.ts'
import { WriteScheduler } from './write-scheduler.ts'
import {
  DEFAULT_WINDOW,
  Flag,
  frameOf,
  FrameType,
  HEAD_BYTES,
  LARGEST_WINDOW,
  putHead,
  uint32Payload,
} from './frame.ts'
import { WriteBuffer } from './write-buffer.ts'
import type { PeerSettings } from './peer-settings.ts'
import { RequestEncoder } from './request-encoder.ts'
import type { LeanStream } from './streams.ts'

/** With a larger backlog of the socket no further request is put on the connection. */
const FULL_BYTES = 262_144
const EMPTY = Buffer.alloc(0)

export class Outbound {
  /** Highest stream whose request has been handed to the socket. */
  lastWritten = 0
  readonly #socket: TLSSocket
  readonly #settings: PeerSettings
  readonly #encoder: RequestEncoder
  readonly #writeBuffer = new WriteBuffer()
  /** The peer's window over all streams, in octets. */
  #window = DEFAULT_WINDOW
  /** Streams whose body is not sent completely, in the order of their requests. */
  #blocked: LeanStream[] = []
  #lastCollected = 0
  readonly #writeScheduler = new WriteScheduler(() => this.flush())

  constructor(socket: TLSSocket, authority: string, settings: PeerSettings) {
    this.#socket = socket
    this.#settings = settings
    this.#encoder = new RequestEncoder(authority)
  }

  get isFull() {
    return this.#writeBuffer.length > FULL_BYTES
  }

  /** Whether a body waits for a window. */
  get isWaiting() {
    return this.#blocked.length > 0
  }

  /** Reserves room for the header block of a request. Throws, with nothing written, for an invalid request. */
  admit(request: Http2Request) {
    const block = this.#encoder.boundOf(request, this.#settings.maxHeaderListBytes)
    this.#writeBuffer.reserve(block + 2 * HEAD_BYTES)
  }

  /** Writes HEADERS and as much of the body as the windows allow now. Only after `admit`. */
  request(stream: LeanStream) {
    const { request } = stream.exchange
    const writeBuffer = this.#writeBuffer
    const start = writeBuffer.length
    const block = start + HEAD_BYTES
    const end = this.#encoder.encode(request, writeBuffer.bytes, block)
    const flags = request.body.length === 0 ? Flag.END_HEADERS | Flag.END_STREAM : Flag.END_HEADERS
    if (end - block > this.#settings.maxFrameBytes) this.#splitBlock(stream.id, flags, end)
    else {
      putHead(writeBuffer.bytes, start, { length: end - block, type: FrameType.HEADERS, flags, stream: stream.id })
      writeBuffer.length = end
    }
    if (request.body.length > 0) this.#body(stream, request.body)
    this.#lastCollected = stream.id
    this.#writeScheduler.plan(this.#writeBuffer.length)
  }

  frame(type: number, flags: number, { stream = 0, payload = EMPTY }: { stream?: number; payload?: Uint8Array }) {
    this.#writeBuffer.append(frameOf({ type, flags, stream }, payload))
    this.#writeScheduler.plan(this.#writeBuffer.length)
  }

  reset(stream: number, code: number) {
    this.frame(FrameType.RST_STREAM, 0, { stream, payload: uint32Payload(code) })
  }

  /**
   * Names the reason, and says that no stream of the peer was processed, since it may open none. Collected frames are dropped: their
   * responses would not be read.
   */
  goaway(code: number, reason: string) {
    this.#writeBuffer.length = 0
    this.#lastCollected = this.lastWritten
    this.#blocked = []
    const payload = Buffer.concat([uint32Payload(0, code), Buffer.from(code === ErrorCode.NO_ERROR ? '' : reason)])
    this.frame(FrameType.GOAWAY, 0, { payload })
  }

  /** Call after the peer's SETTINGS; `windowBefore` is its former initial window. */
  settingsChanged(streams: Iterable<LeanStream>, windowBefore: number) {
    this.#encoder.limitTable(this.#settings.headerTableBytes)
    if (this.#settings.initialWindow > windowBefore) {
      for (const stream of streams) if (this.#windowOf(stream) > LARGEST_WINDOW) throw windowOverflow(stream.id)
    }
    this.#pump()
  }

  /** Throws a ConnectionError when the window exceeds its maximum (RFC 9113 section 6.9.1). */
  grant(octets: number) {
    this.#window += octets
    if (this.#window > LARGEST_WINDOW) throw windowOverflow(0)
    this.#pump()
  }

  /** False when the stream's window exceeds its maximum, which ends that stream only. */
  grantStream(stream: LeanStream, octets: number): boolean {
    stream.credit += octets
    if (this.#windowOf(stream) > LARGEST_WINDOW) return false
    this.#pump()
    return true
  }

  flush() {
    this.#writeScheduler.came()
    const { destroyed, writableEnded, writableNeedDrain } = this.#socket
    // While the socket is busy, further frames are collected: see `isFull`.
    if (this.#writeBuffer.length === 0 || writableNeedDrain || writableEnded || destroyed) return
    this.lastWritten = this.#lastCollected
    this.#writeScheduler.left()
    this.#writeBuffer.empty((octets, written) => this.#socket.write(octets, written))
    this.#pump()
  }

  /** A block too long for one frame goes on in others (RFC 9113 section 6.10). */
  #splitBlock(stream: number, flags: number, end: number) {
    const writeBuffer = this.#writeBuffer
    const block = Buffer.from(writeBuffer.bytes.subarray(writeBuffer.length + HEAD_BYTES, end))
    const most = this.#settings.maxFrameBytes
    const first = { type: FrameType.HEADERS, flags: flags & ~Flag.END_HEADERS, stream }
    writeBuffer.append(frameOf(first, block.subarray(0, most)))
    for (let at = most; at < block.length; at += most) {
      const next = { type: FrameType.CONTINUATION, flags: at + most < block.length ? 0 : Flag.END_HEADERS, stream }
      writeBuffer.append(frameOf(next, block.subarray(at, at + most)))
    }
  }

  #body(stream: LeanStream, body: string | Buffer) {
    const most = typeof body === 'string' ? body.length * 3 : body.length
    const fits = most <= Math.min(this.#window, this.#settings.initialWindow, this.#settings.maxFrameBytes)
    if (fits && this.#blocked.length === 0) return this.#wholeBody(stream, body, most)
    stream.rest = Buffer.from(body)
    this.#blocked.push(stream)
    this.#pump()
  }

  #wholeBody(stream: LeanStream, body: string | Buffer, most: number) {
    const writeBuffer = this.#writeBuffer
    writeBuffer.reserve(HEAD_BYTES + most)
    const start = writeBuffer.length
    const at = start + HEAD_BYTES
    const length = typeof body === 'string' ? writeBuffer.bytes.write(body, at) : body.copy(writeBuffer.bytes, at)
    putHead(writeBuffer.bytes, start, { length, type: FrameType.DATA, flags: Flag.END_STREAM, stream: stream.id })
    writeBuffer.length = at + length
    this.#window -= length
    stream.credit -= length
  }

  #windowOf(stream: LeanStream) {
    return this.#settings.initialWindow + stream.credit
  }

  /** Sends as much as the windows allow. A stream without a window does not hold up the next ones. */
  #pump() {
    if (this.#blocked.length === 0) return
    for (const stream of this.#blocked) if (this.#window > 0 && !this.isFull) this.#send(stream)
    this.#blocked = this.#blocked.filter(({ rest }) => rest !== undefined)
  }

  #send(stream: LeanStream) {
    while (stream.rest && !this.isFull) {
      const { rest } = stream
      const most = Math.min(rest.length, this.#window, this.#windowOf(stream), this.#settings.maxFrameBytes)
      if (most <= 0) return
      const isLast = most === rest.length
      const payload = rest.subarray(0, most)
      this.frame(FrameType.DATA, isLast ? Flag.END_STREAM : 0, { stream: stream.id, payload })
      stream.rest = isLast ? undefined : rest.subarray(most)
      this.#window -= most
      stream.credit -= most
    }
  }
}

const windowOverflow = (stream: number) =>
  new ConnectionError('FLOW_CONTROL_ERROR', `the window of stream ${stream} exceeds 2^31 - 1`)

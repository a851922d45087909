// The server's side of one HTTP/2 connection, cheap enough not to dominate a benchmark of clients: it sends the same response to
// every request and checks nothing.
import {
  Flag,
  FrameReader,
  frameOf,
  FrameType,
  HpackDecoder,
  HpackEncoder,
  WriteBuffer,
  PREFACE,
  putHead,
  Setting,
  settingsPayload,
  uint32Payload,
  type Frame,
} from '@push-server/http2'
import type { TLSSocket } from 'node:tls'
import type { Delays } from './delays.ts'

const WINDOW = 2 ** 24
const HEAD_BYTES = 9
const RESPONSE_BYTES = 512
const APNS_PATH = '/3/device/'
const TOKEN_MEMBER = Buffer.from('"token":"')
const QUOTE = 0x22
const APNS_ID = '01990000-0000-7000-8000-000000000000'

export interface LoadContext {
  maxStreams: number
  delays: Delays
  /** Called for each complete request. */
  counted(): void
  /** Called for each token, when tokens are counted. */
  seen?: ((token: string) => void) | undefined
}

export function serveLoad(socket: TLSSocket, context: LoadContext): void {
  const connection = new LoadConnection(socket, context)
  socket.on('data', (chunk: Buffer) => connection.read(chunk))
  // A client may close at any time.
  socket.on('error', () => {})
}

class LoadConnection {
  readonly #socket: TLSSocket
  readonly #context: LoadContext
  readonly #writeBuffer = new WriteBuffer()
  readonly #encoder = new HpackEncoder()
  readonly #decoder = new HpackDecoder(2 ** 20, (name, value) => {
    if (name === ':path') this.#path = value
  })
  readonly #reader = new FrameReader((frame) => this.#onFrame(frame))
  #preface = PREFACE.length
  #path = ''
  #block: Buffer[] = []
  /** Streams whose response has a body: those of FCM. */
  readonly #withBody = new Set<number>()
  #received = 0
  #isFlushDue = false

  constructor(socket: TLSSocket, context: LoadContext) {
    this.#socket = socket
    this.#context = context
    const settings = settingsPayload([
      [Setting.MAX_CONCURRENT_STREAMS, context.maxStreams],
      [Setting.INITIAL_WINDOW_SIZE, WINDOW],
    ])
    this.#frame(FrameType.SETTINGS, 0, settings)
    this.#grant(WINDOW)
  }

  read(chunk: Buffer) {
    const rest = chunk.subarray(this.#preface)
    this.#preface = Math.max(0, this.#preface - chunk.length)
    this.#reader.read(rest)
  }

  #onFrame(frame: Frame) {
    switch (frame.type) {
      case FrameType.HEADERS:
      case FrameType.CONTINUATION:
        return this.#onFields(frame)
      case FrameType.DATA:
        return this.#onData(frame)
      case FrameType.SETTINGS:
        return this.#onSettings(frame)
      case FrameType.PING:
        if ((frame.flags & Flag.ACK) === 0) {
          this.#frame(FrameType.PING, Flag.ACK, frame.bytes.subarray(frame.start, frame.end))
        }
    }
  }

  #onFields({ type, flags, stream, bytes, start, end }: Frame) {
    const from = type === FrameType.HEADERS && flags & Flag.PRIORITY ? start + 5 : start
    if ((flags & Flag.END_HEADERS) === 0 || this.#block.length > 0)
      this.#block.push(Buffer.from(bytes.subarray(from, end)))
    if ((flags & Flag.END_HEADERS) === 0) return
    const block = this.#block.length > 0 ? Buffer.concat(this.#block) : bytes.subarray(from, end)
    this.#block = []
    this.#decoder.decode(block, 0, block.length)
    if (this.#path.startsWith('/v1/')) this.#withBody.add(stream)
    else this.#context.seen?.(this.#path.slice(APNS_PATH.length))
    if (flags & Flag.END_STREAM) this.#onRequest(stream)
  }

  #onData({ flags, stream, bytes, start, end }: Frame) {
    if (this.#context.seen) this.#readToken(bytes.subarray(start, end))
    this.#received += end - start
    if (this.#received > WINDOW / 2) this.#grant(this.#received)
    if (flags & Flag.END_STREAM) this.#onRequest(stream)
  }

  /** Reads the token of FCM's body, which is small enough to come in one frame. */
  #readToken(body: Buffer) {
    const from = body.lastIndexOf(TOKEN_MEMBER)
    if (from < 0) return
    const start = from + TOKEN_MEMBER.length
    this.#context.seen?.(body.toString('latin1', start, body.indexOf(QUOTE, start)))
  }

  #onSettings({ flags, bytes, start, end }: Frame) {
    if (flags & Flag.ACK) return
    for (let at = start; at < end; at += 6) {
      if (bytes.readUInt16BE(at) === Setting.HEADER_TABLE_SIZE) this.#encoder.limitTable(bytes.readUInt32BE(at + 2))
    }
    this.#frame(FrameType.SETTINGS, Flag.ACK, Buffer.alloc(0))
  }

  #onRequest(stream: number) {
    this.#context.counted()
    this.#context.delays.add(() => this.#respond(stream))
  }

  #respond(stream: number) {
    const hasBody = this.#withBody.delete(stream)
    const writeBuffer = this.#writeBuffer
    writeBuffer.reserve(RESPONSE_BYTES)
    const start = writeBuffer.length
    this.#encoder.begin(writeBuffer.bytes, start + HEAD_BYTES)
    this.#encoder.field(':status', '200')
    if (hasBody) this.#encoder.literal('content-type', 'application/json; charset=UTF-8')
    else this.#encoder.literal('apns-id', APNS_ID)
    const end = this.#encoder.end()
    const flags = hasBody ? Flag.END_HEADERS : Flag.END_HEADERS | Flag.END_STREAM
    putHead(writeBuffer.bytes, start, { length: end - start - HEAD_BYTES, type: FrameType.HEADERS, flags, stream })
    writeBuffer.length = end
    if (hasBody) writeBuffer.append(frameOf({ type: FrameType.DATA, flags: Flag.END_STREAM, stream }, FCM_BODY))
    this.#flushSoon()
  }

  #grant(octets: number) {
    this.#received = 0
    this.#frame(FrameType.WINDOW_UPDATE, 0, uint32Payload(octets))
  }

  #frame(type: number, flags: number, payload: Buffer) {
    this.#writeBuffer.append(frameOf({ type, flags, stream: 0 }, payload))
    this.#flushSoon()
  }

  /** One write for all responses of a turn of the event loop. */
  #flushSoon() {
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    setImmediate(() => {
      this.#isFlushDue = false
      if (!this.#socket.destroyed) this.#writeBuffer.empty((octets, written) => this.#socket.write(octets, written))
    })
  }
}

const FCM_BODY = Buffer.from('{\n  "name": "projects/bench/messages/0:1700000000000000%1234567890abcdef"\n}\n')

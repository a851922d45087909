// Builds responses of HEADERS and DATA (RFC 9113 section 8.1): interim heads are skipped, trailers are decoded for the sake of the
// table only, and a malformed response ends its stream.
import { HpackDecoder } from '../hpack/decoder.ts'
import { ErrorCode } from '../connection-error.ts'
import { MAX_RESPONSE_BYTES } from '../session.ts'
import { ResponseBody } from './response-body.ts'
import { Flag, FrameType, uint32Payload } from './frame.ts'
import { unpad, type Frame } from './frame-reader.ts'
import type { InboundParts } from './inbound-parts.ts'
import { MAX_LIST_BYTES, STREAM_WINDOW, TABLE_BYTES } from './our-settings.ts'
import { ReceiveWindow } from './receive-window.ts'
import { ResponseHead } from './response-head.ts'
import type { LeanStream } from './streams.ts'

/** Smaller frames count against the flood limit: a body need not come in crumbs. */
const CRUMB_BYTES = 64
const SWITCHING_PROTOCOLS = 101

export class Responses {
  readonly #parts: InboundParts
  readonly #head = new ResponseHead()
  readonly #decoder = new HpackDecoder(MAX_LIST_BYTES, this.#head.field)
  readonly #window = new ReceiveWindow()

  constructor(parts: InboundParts) {
    this.#parts = parts
  }

  settingsAcknowledged() {
    this.#decoder.limitTable(TABLE_BYTES)
  }

  /** A complete block. It is decoded in any case, or the tables of the two sides would differ. */
  fields({ stream: id, flags, bytes, start, end }: Frame) {
    const { streams, floodLimit } = this.#parts
    this.#head.reset()
    this.#decoder.decode(bytes, start, end)
    const stream = streams.get(id)
    if (stream) return this.#block(stream, (flags & Flag.END_STREAM) !== 0)
    streams.refuseClosed(id)
    floodLimit.spend()
  }

  data(frame: Frame) {
    const { streams, floodLimit, outbound } = this.#parts
    const octets = frame.end - frame.start
    const grant = this.#window.receive(octets)
    if (grant > 0) outbound.frame(FrameType.WINDOW_UPDATE, 0, { payload: uint32Payload(grant) })
    unpad(frame)
    const stream = streams.get(frame.stream)
    if (!stream || octets < CRUMB_BYTES) {
      if (!stream) streams.refuseClosed(frame.stream)
      floodLimit.spend()
    }
    if (stream) this.#append(stream, frame, octets)
  }

  #block(stream: LeanStream, isEnd: boolean) {
    const { status, headers, contentLength, error } = this.#head
    if (error !== undefined) return this.#malformed(stream, error)
    if (stream.status !== 0) return this.#trailers(stream, isEnd)
    if (status === 0) return this.#malformed(stream, 'no :status')
    if (status < 200) return this.#interim(stream, isEnd)
    stream.status = status
    stream.headers = headers
    stream.contentLength = contentLength
    if (isEnd) this.#end(stream, 0, '')
  }

  #interim(stream: LeanStream, isEnd: boolean) {
    if (isEnd || this.#head.status === SWITCHING_PROTOCOLS)
      return this.#malformed(stream, 'an interim status at the end')
    this.#parts.floodLimit.spend()
  }

  #trailers(stream: LeanStream, isEnd: boolean) {
    if (!isEnd || this.#head.status !== 0) return this.#malformed(stream, 'a second head')
    this.#end(stream, stream.body?.length ?? 0, stream.body?.text() ?? '')
  }

  #append(stream: LeanStream, { bytes, start, end, flags }: Frame, octets: number) {
    if (stream.status === 0) return this.#malformed(stream, 'a body without a head')
    stream.received += octets
    const { events } = this.#parts
    if (stream.received > STREAM_WINDOW)
      return events.broken(stream, ErrorCode.FLOW_CONTROL_ERROR, 'more than its window')
    const isEnd = (flags & Flag.END_STREAM) !== 0
    // Nearly every response comes in one frame, which is not copied.
    if (isEnd && !stream.body) return this.#end(stream, end - start, bytes.toString('utf8', start, end))
    stream.body ??= new ResponseBody()
    if (!stream.body.append(bytes, start, end)) {
      return events.broken(stream, ErrorCode.CANCEL, `response longer than ${MAX_RESPONSE_BYTES} bytes`)
    }
    if (isEnd) this.#end(stream, stream.body.length, stream.body.text())
  }

  #end(stream: LeanStream, length: number, body: string) {
    const { status, headers = {}, contentLength } = stream
    // RFC 9113 section 8.1.1: the announced length has to be the actual one.
    if (contentLength !== undefined && contentLength !== length)
      return this.#malformed(stream, 'not of its content-length')
    this.#parts.events.ended(stream, { kind: 'response', status, headers, body })
  }

  #malformed(stream: LeanStream, what: string) {
    this.#parts.events.broken(stream, ErrorCode.PROTOCOL_ERROR, `malformed response: ${what}`)
  }
}

// Reads the frames of a connection: one method for each type, with the rules of RFC 9113 section 6. A broken rule is thrown as a
// ConnectionError; some rules concern one stream only (section 5.4.2).
import { uint31, uint32 } from '../bytes.ts'
import { ErrorCode, ConnectionError } from '../connection-error.ts'
import { unknown, unsent } from '../session.ts'
import { Responses } from './responses.ts'
import { Flag, FrameType } from './frame.ts'
import { FrameReader, unpad, type Frame } from './frame-reader.ts'
import { HeaderBlock } from './header-block.ts'
import type { InboundParts } from './inbound-parts.ts'
import { printable } from './response-head.ts'

const HEADERS_PRIORITY_BYTES = 5
const PING_BYTES = 8
const GOAWAY_BYTES = 8

export class Inbound {
  readonly #parts: InboundParts
  readonly #responses: Responses
  readonly #reader: FrameReader
  #block: HeaderBlock | undefined
  #hasSettings = false
  #isAcknowledged = false

  constructor(parts: InboundParts) {
    this.#parts = parts
    this.#responses = new Responses(parts)
    this.#reader = new FrameReader((frame) => this.#onFrame(frame))
  }

  /** Throws a ConnectionError. */
  read(chunk: Buffer) {
    this.#reader.read(chunk)
  }

  stop() {
    this.#reader.stop()
  }

  #onFrame(frame: Frame) {
    if (!this.#hasSettings) this.#expectSettings(frame)
    if (this.#block && frame.type !== FrameType.CONTINUATION) throw protocolError('a frame within a header block')
    switch (frame.type) {
      case FrameType.DATA:
        ofStream(frame, 'DATA')
        return this.#responses.data(frame)
      case FrameType.HEADERS:
        return this.#onHeaders(frame)
      case FrameType.CONTINUATION:
        return this.#onContinuation(frame)
      case FrameType.RST_STREAM:
        return this.#onReset(frame)
      case FrameType.WINDOW_UPDATE:
        if (!this.#parts.outbound.isWaiting) this.#parts.floodLimit.spend()
        return this.#onWindowUpdate(frame)
      default:
        // None of the others advances a response.
        this.#parts.floodLimit.spend()
        return this.#onOther(frame)
    }
  }

  #onOther(frame: Frame) {
    switch (frame.type) {
      case FrameType.SETTINGS:
        return this.#onSettings(frame)
      case FrameType.PING:
        return this.#onPing(frame)
      case FrameType.GOAWAY:
        return this.#onGoaway(frame)
      case FrameType.PRIORITY:
        ofStream(frame, 'PRIORITY')
        return ofLength(frame, HEADERS_PRIORITY_BYTES)
      case FrameType.PUSH_PROMISE:
        throw protocolError('PUSH_PROMISE, which we do not allow')
      default:
      // Unknown types are ignored (RFC 9113 section 5.5).
    }
  }

  /** RFC 9113 section 3.4. */
  #expectSettings({ type, flags }: Frame) {
    if (type !== FrameType.SETTINGS || flags & Flag.ACK) throw protocolError('the first frame is not SETTINGS')
    this.#hasSettings = true
  }

  #onHeaders(frame: Frame) {
    ofStream(frame, 'HEADERS')
    unpad(frame)
    if (frame.flags & Flag.PRIORITY) frame.start += HEADERS_PRIORITY_BYTES
    if (frame.start > frame.end) throw protocolError('HEADERS shorter than its padding and priority')
    if (frame.flags & Flag.END_HEADERS) this.#responses.fields(frame)
    else this.#block = new HeaderBlock(frame)
  }

  #onContinuation(frame: Frame) {
    const whole = this.#block ? this.#block.continue(frame) : undefined
    if (!this.#block) throw protocolError('CONTINUATION without HEADERS')
    if (!whole) return
    this.#block = undefined
    this.#responses.fields(whole)
  }

  #onReset(frame: Frame) {
    ofStream(frame, 'RST_STREAM')
    ofLength(frame, 4)
    const { streams, floodLimit, events } = this.#parts
    const code = uint32(frame.bytes, frame.start)
    const stream = streams.get(frame.stream)
    if (stream) {
      const ending = code === ErrorCode.REFUSED_STREAM ? unsent : unknown
      return events.ended(stream, ending(`stream closed with code ${code}`))
    }
    streams.refuseIdle(frame.stream)
    floodLimit.spend()
  }

  #onSettings(frame: Frame) {
    ofConnection(frame, 'SETTINGS')
    const { settings, outbound, streams, events } = this.#parts
    if (frame.flags & Flag.ACK) {
      ofLength(frame, 0)
      if (this.#isAcknowledged) throw protocolError('SETTINGS acknowledged that were not sent')
      this.#isAcknowledged = true
      return this.#responses.settingsAcknowledged()
    }
    const windowBefore = settings.initialWindow
    settings.read(frame)
    outbound.frame(FrameType.SETTINGS, Flag.ACK, {})
    outbound.settingsChanged(streams.all(), windowBefore)
    events.settings()
  }

  #onPing(frame: Frame) {
    ofConnection(frame, 'PING')
    ofLength(frame, PING_BYTES)
    const payload = frame.bytes.subarray(frame.start, frame.end)
    if (frame.flags & Flag.ACK) return this.#parts.events.ponged(payload)
    this.#parts.outbound.frame(FrameType.PING, Flag.ACK, { payload })
  }

  #onGoaway(frame: Frame) {
    ofConnection(frame, 'GOAWAY')
    const { bytes, start, end } = frame
    if (end - start < GOAWAY_BYTES) throw new ConnectionError('FRAME_SIZE_ERROR', `GOAWAY of ${end - start} bytes`)
    const words = printable(bytes.toString('latin1', start + GOAWAY_BYTES, end))
    this.#parts.events.goaway(uint32(bytes, start + 4), uint31(bytes, start), words)
  }

  #onWindowUpdate(frame: Frame) {
    ofLength(frame, 4)
    const { streams, outbound, events } = this.#parts
    const octets = uint31(frame.bytes, frame.start)
    if (frame.stream === 0) {
      if (octets === 0) throw protocolError('WINDOW_UPDATE by nothing')
      return outbound.grant(octets)
    }
    const stream = streams.get(frame.stream)
    if (!stream) return streams.refuseIdle(frame.stream)
    if (octets === 0) return events.broken(stream, ErrorCode.PROTOCOL_ERROR, 'WINDOW_UPDATE by nothing')
    if (outbound.grantStream(stream, octets)) return
    events.broken(stream, ErrorCode.FLOW_CONTROL_ERROR, 'a window of more than 2^31 - 1')
  }
}

const protocolError = (rule: string) => new ConnectionError('PROTOCOL_ERROR', rule)

function ofConnection({ stream }: Frame, name: string) {
  if (stream !== 0) throw protocolError(`${name} on a stream`)
}

function ofStream({ stream }: Frame, name: string) {
  if (stream === 0) throw protocolError(`${name} on no stream`)
}

function ofLength({ start, end, type }: Frame, length: number) {
  if (end - start !== length)
    throw new ConnectionError('FRAME_SIZE_ERROR', `${end - start} bytes in a frame of type ${type}`)
}

// The peer's SETTINGS (RFC 9113 section 6.5.2), checked. Settings that a frame does not name stay as they were.
import type { Frame } from './frame-reader.ts'
import { uint16, uint32 } from '../bytes.ts'
import { ConnectionError } from '../connection-error.ts'
import { DEFAULT_FRAME_BYTES, DEFAULT_WINDOW, LARGEST_FRAME_BYTES, LARGEST_WINDOW, Setting } from './frame.ts'

export class PeerSettings {
  headerTableBytes = 4096
  maxStreams = LARGEST_WINDOW
  initialWindow = DEFAULT_WINDOW
  maxFrameBytes = DEFAULT_FRAME_BYTES
  maxHeaderListBytes = Infinity

  read({ bytes, start, end }: Pick<Frame, 'bytes' | 'start' | 'end'>) {
    if ((end - start) % 6 !== 0) throw new ConnectionError('FRAME_SIZE_ERROR', `SETTINGS of ${end - start} bytes`)
    for (let at = start; at < end; at += 6) this.#set(uint16(bytes, at), uint32(bytes, at + 2))
  }

  #set(setting: number, value: number) {
    switch (setting) {
      case Setting.HEADER_TABLE_SIZE:
        this.headerTableBytes = value
        break
      case Setting.ENABLE_PUSH:
        if (value !== 0) throw new ConnectionError('PROTOCOL_ERROR', 'a server that enables pushes to itself')
        break
      case Setting.MAX_CONCURRENT_STREAMS:
        this.maxStreams = value
        break
      case Setting.INITIAL_WINDOW_SIZE:
        if (value > LARGEST_WINDOW) throw new ConnectionError('FLOW_CONTROL_ERROR', `an initial window of ${value}`)
        this.initialWindow = value
        break
      case Setting.MAX_FRAME_SIZE:
        if (value < DEFAULT_FRAME_BYTES || value > LARGEST_FRAME_BYTES) {
          throw new ConnectionError('PROTOCOL_ERROR', `frames of at most ${value} bytes`)
        }
        this.maxFrameBytes = value
        break
      case Setting.MAX_HEADER_LIST_SIZE:
        this.maxHeaderListBytes = value
        break
      default:
      // Unknown ones are ignored (RFC 9113 section 6.5.2).
    }
  }
}

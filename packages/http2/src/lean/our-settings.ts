// The SETTINGS of this client (RFC 9113 section 6.5.2) and its limits for peers.
import { DEFAULT_WINDOW, frameOf, FrameType, PREFACE, Setting, settingsPayload, uint32Payload } from './frame.ts'

/** Without a dynamic table each response is decoded by itself, and its fields are not stored for the next one. */
export const TABLE_BYTES = 0
/** Maximum size of a response's fields, and of their encoded block. */
export const MAX_LIST_BYTES = 65_536
/** Window of one stream. A response ends long before: MAX_RESPONSE_BYTES. The rest is for padding, which counts as well. */
export const STREAM_WINDOW = 1_048_576
/** Window of all streams together. */
export const CONNECTION_WINDOW = 16_777_216

/** The first bytes of a connection (RFC 9113 section 3.4). */
export const GREETING = Buffer.concat([
  PREFACE,
  frameOf(
    { type: FrameType.SETTINGS, flags: 0, stream: 0 },
    settingsPayload([
      [Setting.HEADER_TABLE_SIZE, TABLE_BYTES],
      [Setting.ENABLE_PUSH, 0],
      [Setting.INITIAL_WINDOW_SIZE, STREAM_WINDOW],
      [Setting.MAX_HEADER_LIST_SIZE, MAX_LIST_BYTES],
    ]),
  ),
  frameOf({ type: FrameType.WINDOW_UPDATE, flags: 0, stream: 0 }, uint32Payload(CONNECTION_WINDOW - DEFAULT_WINDOW)),
])

// What this client asks of its peers (RFC 9113 section 6.5.2) and how much it takes from them.
import { DEFAULT_WINDOW, frameOf, FrameType, PREFACE, Setting, settingsPayload, uint32Payload } from './frame.ts'

/** Without a dynamic table each answer is read by itself, and its fields are not written down for the next one. */
export const TABLE_BYTES = 0
/** Most that the fields of an answer may amount to, and that their encoded block may have. */
export const MAX_LIST_BYTES = 65_536
/** Of one stream. An answer ends long before: MAX_ANSWER_BYTES. The rest is for padding, which counts as well. */
export const STREAM_WINDOW = 1_048_576
/** Of all streams together. */
export const CONNECTION_WINDOW = 16_777_216

/** What a connection begins with (RFC 9113 section 3.4). */
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

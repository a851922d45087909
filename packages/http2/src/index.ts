// A multiplexed HTTP/2 client for many small POSTs to one origin, whose failures say whether sending again is safe.
export type {
  HeaderSet,
  Http2Client,
  Http2Log,
  Http2Options,
  Http2Request,
  Http2Result,
  Proxy,
  Settle,
  Transport,
} from './client.ts'
export { openHttp2 } from './open.ts'

// How an origin is reached, for the requests to a provider that go over HTTP/1.1.
export { proxyAuthorization } from './proxy.ts'
export { verifyingTls } from './tls.ts'

// Frames and header compression, for the server's side: the simulator's load server.
export { HpackDecoder } from './hpack/decoder.ts'
export { HpackEncoder } from './hpack/encoder.ts'
export { FrameReader, type Frame } from './lean/frame-reader.ts'
export { Flag, frameOf, FrameType, PREFACE, putHead, Setting, settingsPayload, uint32Payload } from './lean/frame.ts'
export { WriteBuffer } from './lean/write-buffer.ts'

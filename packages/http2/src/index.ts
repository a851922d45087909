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

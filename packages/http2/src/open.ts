// Opens a client: the defaults, and the choice of a transport.
import type { Http2Client, Http2Options } from './client.ts'
import { targetOf } from './dial.ts'
import { openNodeSession } from './node-session.ts'
import { Pool } from './pool.ts'

/** Connects with the first request, not before. Throws for an origin that is not https. */
export const openHttp2 = (options: Http2Options): Http2Client =>
  new Pool({
    target: targetOf(options),
    openSession: openNodeSession,
    maxConnections: options.connections ?? 1,
    maxStreams: options.maxStreams ?? 1000,
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
    queueTimeoutMs: options.queueTimeoutMs ?? 10_000,
    pingIntervalMs: options.pingIntervalMs ?? 30_000,
    pingTimeoutMs: options.pingTimeoutMs ?? 5_000,
    log: options.log,
  })

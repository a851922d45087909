// Opens a client: default options and the choice of the transport.
import type { Http2Client, Http2Options, Transport } from './client.ts'
import { targetOf } from './dial.ts'
import { openLeanSession } from './lean/session.ts'
import { openNodeSession } from './node-session.ts'
import { Pool } from './pool.ts'
import type { OpenSession } from './session.ts'

const TRANSPORTS: Readonly<Record<Transport, OpenSession>> = { lean: openLeanSession, node: openNodeSession }

/** Connects with the first request, not before. Throws for an origin that is not https. */
export const openHttp2 = (options: Http2Options): Http2Client =>
  new Pool({
    target: targetOf(options),
    openSession: TRANSPORTS[options.transport ?? 'lean'],
    maxConnections: options.connections ?? 1,
    maxStreams: options.maxStreams ?? 1000,
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
    queueTimeoutMs: options.queueTimeoutMs ?? 10_000,
    pingIntervalMs: options.pingIntervalMs ?? 30_000,
    pingTimeoutMs: options.pingTimeoutMs ?? 5_000,
    log: options.log,
  })

// One request to a fake and its response or failure: the same over HTTP/2 and HTTP/1.1.
import type { OutgoingHttpHeaders } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http2'
import type { Readable } from 'node:stream'
import type { Response, FailingBehaviour } from '../behaviour.ts'

export interface Body {
  /** Bytes sent. */
  size: number
  /** The first bytes, up to the number that is kept. */
  bytes: Buffer
}

export interface Reply {
  status: number
  headers?: OutgoingHttpHeaders
  body?: string
}

/** A failure that is seen on the wire, other than a connection that ends in good order. */
export type WireFailure = FailingBehaviour & { failure: Exclude<FailingBehaviour['failure'], 'goaway' | 'silence'> }

export interface Exchange {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Body
  /** Does nothing once the sender has gone. */
  reply(reply: Reply): void
  /** Fails instead of a reply. HTTP/1.1 has no streams to reset: there the connection is closed. */
  fail(failing: WireFailure): void
  /**
   * Announces the end of the connection: GOAWAY with `goawayText` as its debug data, or `Connection: close`. The result ends it once
   * the requests in flight have finished.
   */
  retire(goawayText?: string): () => void
}

/** The part of a connection that a fake controls. */
export interface Connection {
  /** Sets the maximum number of streams; without effect for HTTP/1.1. */
  allowStreams(count: number): void
}

/** Called for each connection; what it returns takes the requests of that connection. */
export type OpenConnection = (connection: Connection) => (exchange: Exchange) => void

export const jsonReply = (status: number, body: unknown, headers?: OutgoingHttpHeaders): Reply => ({
  status,
  headers: { 'content-type': 'application/json; charset=UTF-8', ...headers },
  body: JSON.stringify(body),
})

/** The response of a gateway in front of the service, which does not speak the service's JSON. */
export const gatewayReply = (status: number, headers?: OutgoingHttpHeaders): Reply => ({
  status,
  headers: { 'content-type': 'text/html; charset=UTF-8', ...headers },
  body: `<!DOCTYPE html><html lang="en"><title>Error ${status}</title><h1>Error ${status}</h1></html>`,
})

/** A reply with the body and headers of a script. */
export const withExtras = (reply: Reply, { body, headers }: Pick<Response, 'body' | 'headers'>): Reply => ({
  ...reply,
  headers: { ...reply.headers, ...headers },
  ...(body !== undefined && { body }),
})

/** Header of a reply that tells the sender when to retry. */
export const retryHeader = (retryAfter: Response['retryAfter']): OutgoingHttpHeaders =>
  retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }

/** Bytes beyond `bytesKept` are counted, not kept. */
export function readBody(stream: Readable, bytesKept: number, done: (body: Body) => void) {
  const chunks: Buffer[] = []
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= bytesKept) chunks.push(chunk)
  })
  stream.on('end', () => done({ size, bytes: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks) }))
}

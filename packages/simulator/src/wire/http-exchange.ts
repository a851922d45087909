// One request to a look-alike and what can be done with it: the same over HTTP/2 and HTTP/1.1.
import type { OutgoingHttpHeaders } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http2'
import type { Readable } from 'node:stream'
import type { Response, FailingBehaviour } from '../behaviour.ts'

export interface Body {
  /** Bytes sent. */
  size: number
  /** The bytes, as far as they are kept. */
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
  /** Does nothing once the sender is gone. */
  reply(reply: Reply): void
  /** What happens instead of a reply. HTTP/1.1 has no streams to reset: there the connection is closed without a word. */
  fail(failing: WireFailure): void
  /**
   * Announces that the connection ends: GOAWAY with `farewell` in it, or `Connection: close`. Returns how to end it, which
   * lets what is under way finish.
   */
  retire(manner?: string): () => void
}

/** One connection, as far as a look-alike has a say in it. */
export interface Connection {
  /** Changes how many streams there may be at a time; without meaning for HTTP/1.1. */
  allowStreams(count: number): void
}

/** Called for each connection; what it returns takes the requests of that connection. */
export type OpenConnection = (connection: Connection) => (exchange: Exchange) => void

export const jsonReply = (status: number, body: unknown, headers?: OutgoingHttpHeaders): Reply => ({
  status,
  headers: { 'content-type': 'application/json; charset=UTF-8', ...headers },
  body: JSON.stringify(body),
})

/** What stands before a service answers like this: gateways do not speak the JSON of the service behind them. */
export const gatewayReply = (status: number, headers?: OutgoingHttpHeaders): Reply => ({
  status,
  headers: { 'content-type': 'text/html; charset=UTF-8', ...headers },
  body: `<!DOCTYPE html><html lang="en"><title>Error ${status}</title><h1>Error ${status}</h1></html>`,
})

/** A reply with what a script puts into it. */
export const withExtras = (reply: Reply, { body, headers }: Pick<Response, 'body' | 'headers'>): Reply => ({
  ...reply,
  headers: { ...reply.headers, ...headers },
  ...(body !== undefined && { body }),
})

/** Header of a reply that asks the sender to come back later. */
export const retryHeader = (retryAfter: Response['retryAfter']): OutgoingHttpHeaders =>
  retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }

/** What comes beyond `bytesKept` is counted, not kept. */
export function readBody(stream: Readable, bytesKept: number, done: (body: Body) => void) {
  const chunks: Buffer[] = []
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= bytesKept) chunks.push(chunk)
  })
  stream.on('end', () => done({ size, bytes: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks) }))
}

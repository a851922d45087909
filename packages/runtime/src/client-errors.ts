// What the HTTP parser refuses or no longer waits for. Node.js reports it for the connection, not for a request. It gets a
// response like any other, with an id and one line of log, and the connection ends.
import { randomUUID } from 'node:crypto'
import { STATUS_CODES, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { ApiError, errorResponse } from '@push-server/contract'
import type { Logger } from './logger.ts'

export interface ClientErrors {
  /** Called with each response before its request is processed; it is the last response of its connection. */
  track(response: ServerResponse): void
  /** The listener of `clientError`. */
  refuse(error: Error, socket: Socket): void
  /** Sends the error onto a connection that has no request, and ends it. */
  end(socket: Socket, error: ApiError): void
}

/** The error of node:http: its code is of node:http or of llhttp, which adds a reason in words. */
type ParserError = Error & { code?: string; reason?: string }

/** `headers` are those of every response. */
export function createClientErrors(log: Logger, headers: Readonly<Record<string, string>>): ClientErrors {
  const latest = new WeakMap<Socket, ServerResponse>()
  const refused = new WeakSet<Socket>()

  function end(socket: Socket, error: ApiError): void {
    if (!socket.writable) return void socket.destroy()
    const id = randomUUID()
    const { statusCode: status, cause } = error
    log.info({ reqId: id, status, reason: reasonOf(cause), address: socket.remoteAddress }, 'not a valid HTTP request')
    socket.end(responseText(error, { ...headers, 'x-correlation-id': id }))
    // Bytes that are still on their way to us would reset the connection, and the response with it, if it were closed at once.
    const timer = setTimeout(() => socket.destroy(), LINGER_MS)
    socket.once('close', () => clearTimeout(timer))
  }

  return {
    track: (response) => void latest.set(response.req.socket, response),
    end,
    refuse(cause, socket) {
      // The parser reports the error again for each further chunk.
      if (refused.has(socket)) return
      refused.add(socket)
      if ((cause as ParserError).code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
      const error = apiErrorOf(cause)
      const response = latest.get(socket)
      if (!response || response.writableFinished) end(socket, error)
      else if (response.req.complete) response.once('close', () => end(socket, error))
      else breakOff(response, error)
    },
  }
}

/**
 * The rest of the body will never come. A reader gets that as an error of reading, at once or when it begins to read. Destroying the request would destroy the connection, and the response with it.
 */
function breakOff(response: ServerResponse, error: ApiError): void {
  const { req } = response
  if (response.headersSent) return void req.socket.destroy()
  response.setHeader('connection', 'close')
  if (req.listenerCount('error') > 0) return void req.emit('error', error)
  req.on('newListener', function fail(event: string) {
    if (event !== 'error') return
    req.off('newListener', fail)
    queueMicrotask(() => req.emit('error', error))
  })
}

/** How long a client that was refused may still send. */
const LINGER_MS = 1000

function apiErrorOf(cause: ParserError): ApiError {
  const error = (statusCode: number, message: string) => new ApiError('ERROR_REQUEST', message, { statusCode, cause })
  switch (cause.code) {
    case 'HPE_HEADER_OVERFLOW':
      return error(431, 'The request line and its headers are larger than 16 KiB')
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new ApiError('ERROR_TOO_LARGE', 'The extensions of a chunk are larger than 16 KiB', { cause })
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return error(408, 'The request did not arrive completely in time')
    default:
      return error(400, 'This is not a valid HTTP/1.1 request')
  }
}

function reasonOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined
  const { reason, message } = cause as ParserError
  return reason || message
}

function responseText(error: ApiError, headers: Readonly<Record<string, string>>): string {
  const { statusCode } = error
  const body = JSON.stringify(errorResponse(error))
  const all = {
    ...headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    date: new Date().toUTCString(),
    connection: 'close',
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  return [`HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode] ?? ''}`, ...lines, '', body].join('\r\n')
}

// Calls to PowerAuth Server: JSON in and out, with a deadline and a limit of concurrent calls. No call is retried.
import { isUtf8 } from 'node:buffer'
import { getCACertificates } from 'node:tls'
import { Pool, type Dispatcher } from 'undici'

/** PowerAuth Server could not be reached, refused the call, or sent an unusable response. The text is for the operator. */
export class PowerAuthError extends Error {
  override readonly name = 'PowerAuthError'
}

export interface PowerAuthOptions {
  /** Up to and with `/rest`. */
  url: string
  clientToken: string
  clientSecret: string
  connectTimeoutMs: number
  /** For a whole call: waiting in the queue, connecting, the response. */
  responseTimeoutMs: number
  /** Maximum number of concurrent calls; the others wait. */
  connections: number
  /** PEM, trusted beside the built-in ones. */
  ca?: Buffer
  acceptInvalidCertificate: boolean
}

export interface Call {
  /** Below the URL, with the slash. */
  path: string
  requestObject: unknown
  correlationId: string
  /** The header of the trace that it belongs to; undefined without one. */
  traceparent?: string | undefined
  /** Ends the call before its time. */
  signal?: AbortSignal
}

export interface PowerAuthClient {
  /** Resolves with the response object, null when the response has none. Rejects with PowerAuthError. */
  call(call: Call): Promise<unknown>
  close(): Promise<void>
}

const LARGEST_RESPONSE = 1024 * 1024

/** Connects with the first call. */
export function openPowerAuthClient(options: PowerAuthOptions): PowerAuthClient {
  const { origin, pathname } = new URL(options.url)
  const base = pathname === '/' ? '' : pathname
  const pool = openPool(origin, options)
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    // Always sent, as the reference does; PowerAuth Server checks it when its access is restricted.
    authorization: `Basic ${Buffer.from(`${options.clientToken}:${options.clientSecret}`).toString('base64')}`,
  }

  async function post({ path, requestObject, correlationId, traceparent, signal }: Call) {
    const late = AbortSignal.timeout(options.responseTimeoutMs)
    try {
      const { statusCode, body } = await pool.request({
        path: base + path,
        method: 'POST',
        headers: { ...headers, 'x-correlation-id': correlationId, ...(traceparent !== undefined && { traceparent }) },
        body: JSON.stringify({ requestObject }),
        signal: signal ? AbortSignal.any([late, signal]) : late,
      })
      return { statusCode, bytes: Buffer.from(await body.arrayBuffer()) }
    } catch (error) {
      throw new PowerAuthError(
        late.aborted ? `no response within ${options.responseTimeoutMs} ms` : transportText(error),
        { cause: error },
      )
    }
  }

  return {
    async call(call) {
      const { statusCode, bytes } = await post(call)
      return responseObjectOf(statusCode, bytes)
    },
    // Not close(): a response that never arrives would hold it up.
    close: () => pool.destroy(),
  }
}

function openPool(origin: string, options: PowerAuthOptions): Dispatcher {
  const { ca, acceptInvalidCertificate, connections, connectTimeoutMs } = options
  return new Pool(origin, {
    connections,
    maxResponseSize: LARGEST_RESPONSE,
    allowH2: false,
    // A call has a deadline of its own.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: {
      timeout: connectTimeoutMs,
      // Always set, because NODE_TLS_REJECT_UNAUTHORIZED=0 would turn it off otherwise.
      rejectUnauthorized: !acceptInvalidCertificate,
      // A custom `ca` replaces the built-in ones, so these are added to it.
      ...(ca && { ca: [...getCACertificates('default'), ca.toString()] }),
    },
  })
}

/** Several addresses that all failed come as one error without a text of its own. */
function transportText(error: unknown): string {
  const { message, code, errors } = error as { message?: string; code?: string; errors?: Error[] }
  return message || errors?.map((each) => each.message).join('; ') || code || 'connection failed'
}

type Members = Readonly<Record<string, unknown>>

function responseObjectOf(statusCode: number, bytes: Buffer): unknown {
  const envelope = membersOf(bytes)
  if (statusCode !== 200) throw new PowerAuthError(refusalText(statusCode, envelope))
  // Decoded all the same, two users would become one.
  if (!isUtf8(bytes)) throw new PowerAuthError('a response that is not UTF-8')
  if (envelope?.status !== 'OK') throw new PowerAuthError('HTTP 200 without the envelope of a response')
  return envelope.responseObject ?? null
}

/** `HTTP 401 ERR_AUTHENTICATION: Authentication failed` */
function refusalText(statusCode: number, envelope: Members | undefined): string {
  const { code, message } = Object(envelope?.responseObject) as Members
  const details = [code, message].filter((part) => typeof part === 'string').join(': ')
  return `HTTP ${statusCode}${details && ` ${details}`}`
}

function membersOf(bytes: Buffer): Members | undefined {
  try {
    const value: unknown = JSON.parse(withoutMark(bytes).toString())
    return typeof value === 'object' && value !== null ? (value as Members) : undefined
  } catch {
    // A proxy on the way may respond with HTML, say: the status is all that is known then.
    return undefined
  }
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

const withoutMark = (bytes: Buffer) =>
  bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? bytes.subarray(BYTE_ORDER_MARK.length) : bytes

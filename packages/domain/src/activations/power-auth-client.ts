// Calls to PowerAuth Server: JSON in and out, with a deadline and a limit of concurrent calls. No call is retried, but for one by a version
// of the interface that PowerAuth Server lacks.
import { getCACertificates } from 'node:tls'
import { Pool, type Dispatcher } from 'undici'
import { PathMissing, PowerAuthError, responseObjectOf } from './power-auth-response.ts'
import { createPowerAuthVersions, type PowerAuthApi, type PowerAuthVersion } from './power-auth-versions.ts'

export interface PowerAuthOptions {
  /** Up to and with `/rest`. */
  url: string
  api: PowerAuthApi
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

export interface Call<T> {
  /** Below the version, with the slash. */
  path: string
  requestObject(version: PowerAuthVersion): unknown
  /** Gets the response object, null when the response has none. Throws PowerAuthError when it is unusable. */
  read(responseObject: unknown): T
  correlationId: string
  /** The header of the trace that it belongs to; undefined without one. */
  traceparent?: string | undefined
  /** Ends the call before its time. */
  signal?: AbortSignal
}

export interface PowerAuthClient {
  /** Rejects with PowerAuthError. */
  call<T>(call: Call<T>): Promise<T>
  close(): Promise<void>
}

const LARGEST_RESPONSE = 1024 * 1024

/** Connects with the first call. */
export function openPowerAuthClient(options: PowerAuthOptions): PowerAuthClient {
  const { post, close } = openTransport(options)
  const versions = createPowerAuthVersions(options.api, () => performance.now())

  async function attempt<T>(version: PowerAuthVersion, call: Call<T>, signal: AbortSignal): Promise<T> {
    const endpoint = `/${version}${call.path}`
    try {
      const body = JSON.stringify({ requestObject: call.requestObject(version) })
      const { correlationId, traceparent } = call
      const { statusCode, bytes } = await post(endpoint, { body, correlationId, traceparent, signal })
      return call.read(responseObjectOf(statusCode, bytes))
    } catch (error) {
      if (error instanceof PowerAuthError) error.endpoint = endpoint
      throw error
    }
  }

  async function callInTime<T>(call: Call<T>, signal: AbortSignal): Promise<T> {
    const [first, second] = versions.order()
    try {
      return await attempt(first, call, signal)
    } catch (error) {
      if (second === undefined || !(error instanceof PathMissing)) throw error
      const result = await attempt(second, call, signal).catch((other: unknown) => {
        // Without either version it is the address that is wrong.
        throw other instanceof PathMissing ? error : other
      })
      versions.found(second)
      return result
    }
  }

  return {
    async call(call) {
      const late = AbortSignal.timeout(options.responseTimeoutMs)
      try {
        return await callInTime(call, call.signal ? AbortSignal.any([late, call.signal]) : late)
      } catch (error) {
        if (!late.aborted || !(error instanceof PowerAuthError)) throw error
        const text = `no response within ${options.responseTimeoutMs} ms`
        throw Object.assign(new PowerAuthError(text, { cause: error }), { endpoint: error.endpoint })
      }
    },
    close,
  }
}

interface Request {
  body: string
  correlationId: string
  traceparent: string | undefined
  signal: AbortSignal
}

function openTransport(options: PowerAuthOptions) {
  const { origin, pathname } = new URL(options.url)
  const base = pathname === '/' ? '' : pathname
  const pool = openPool(origin, options)
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    // Always sent, as the reference does; PowerAuth Server checks it when its access is restricted.
    authorization: `Basic ${Buffer.from(`${options.clientToken}:${options.clientSecret}`).toString('base64')}`,
  }

  return {
    async post(path: string, { body, correlationId, traceparent, signal }: Request) {
      try {
        const response = await pool.request({
          path: base + path,
          method: 'POST',
          headers: { ...headers, 'x-correlation-id': correlationId, ...(traceparent !== undefined && { traceparent }) },
          body,
          signal,
        })
        return { statusCode: response.statusCode, bytes: Buffer.from(await response.body.arrayBuffer()) }
      } catch (error) {
        throw new PowerAuthError(transportText(error), { cause: error })
      }
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

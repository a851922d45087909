// For clients that send part of a request and no more: a body has to arrive within REQUEST_TIMEOUT, and what is left of it once
// the response is sent within a few seconds. Uploads that a handler reads itself have limits of their own.
import { ApiError } from '@push-server/contract'
import type { Config, Metrics } from '@push-server/runtime'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { stopping } from './http-server.ts'

/** How long a client may go on sending after its response: an earlier reset of the connection could lose the response. */
const LINGER_MS = 5000

declare module 'fastify' {
  interface FastifyRequest {
    /** To be called once the body is no longer waited for; null while there is none. */
    bodyArrived: (() => void) | null
  }
}

export interface RequestTimeoutOptions {
  config: Pick<Config, 'requestTimeout' | 'stopTimeout'>
  metrics: Pick<Metrics, 'refusal'>
}

export const requestTimeout = fp(
  async (app: FastifyInstance, { config, metrics }: RequestTimeoutOptions) => {
    const { requestTimeout: ms } = config
    /** Ends each request whose body is still arriving. */
    const arriving = new Set<() => void>()
    app.decorateRequest('bodyArrived', null)
    app.addHook('preClose', async () => {
      const endAll = () => {
        for (const end of arriving) end()
      }
      setTimeout(endAll, config.stopTimeout).unref()
    })
    app.addHook('preParsing', (request, reply, _payload, done) => {
      if (!hasBody(request)) return done()
      const timer = setTimeout(() => {
        metrics.refusal('request-timeout')
        reply.header('connection', 'close')
        void reply.send(
          new ApiError('ERROR_REQUEST', `The body was not there within REQUEST_TIMEOUT (${ms} ms)`, {
            statusCode: 408,
          }),
        )
      }, ms)
      const end = () => void reply.send(stopping())
      arriving.add(end)
      request.bodyArrived = () => {
        clearTimeout(timer)
        arriving.delete(end)
      }
      request.raw.once('close', request.bodyArrived)
      done()
    })
    // The body has been read, or the handler reads it.
    app.addHook('preValidation', ({ bodyArrived }, _reply, done) => {
      bodyArrived?.()
      done()
    })
    app.addHook('onSend', ({ bodyArrived }, _reply, _payload, done) => {
      bodyArrived?.()
      done()
    })
    app.addHook('onResponse', ({ raw }, _reply, done) => {
      if (raw.complete || raw.destroyed) return done()
      raw.resume()
      const timer = setTimeout(() => raw.destroy(), LINGER_MS)
      raw.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer))
      done()
    })
  },
  { name: 'request-timeout' },
)

const hasBody = ({ headers }: FastifyRequest) =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

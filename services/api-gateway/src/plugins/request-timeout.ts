// For clients that send part of a request and no more: a body has to arrive within REQUEST_TIMEOUT, and what is left of it once
// the response is sent within a few seconds. Uploads that a handler reads itself have limits of their own.
import { ApiError } from '@push-server/contract'
import type { Config, Metrics } from '@push-server/runtime'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

/** How long a client may go on sending after its response: an earlier reset of the connection could lose the response. */
const LINGER_MS = 5000

declare module 'fastify' {
  interface FastifyRequest {
    bodyTimer: NodeJS.Timeout | null
  }
}

export interface RequestTimeoutOptions {
  config: Pick<Config, 'requestTimeout'>
  metrics: Pick<Metrics, 'refusal'>
}

export const requestTimeout = fp(
  async (app: FastifyInstance, { config, metrics }: RequestTimeoutOptions) => {
    const { requestTimeout: ms } = config
    app.decorateRequest('bodyTimer', null)
    app.addHook('preParsing', async (request, reply) => {
      if (!hasBody(request)) return
      request.bodyTimer = setTimeout(() => {
        metrics.refusal('request-timeout')
        reply.header('connection', 'close')
        void reply.send(
          new ApiError('ERROR_REQUEST', `The body was not there within REQUEST_TIMEOUT (${ms} ms)`, {
            statusCode: 408,
          }),
        )
      }, ms)
      request.raw.once('close', () => clearTimeout(request.bodyTimer ?? undefined))
    })
    // The body has been read, or the handler reads it.
    app.addHook('preValidation', async ({ bodyTimer }) => clearTimeout(bodyTimer ?? undefined))
    app.addHook('onSend', async ({ bodyTimer }) => clearTimeout(bodyTimer ?? undefined))
    app.addHook('onResponse', async ({ raw }) => {
      if (raw.complete || raw.destroyed) return
      raw.resume()
      const timer = setTimeout(() => raw.destroy(), LINGER_MS)
      raw.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer))
    })
  },
  { name: 'request-timeout' },
)

const hasBody = ({ headers }: FastifyRequest) =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

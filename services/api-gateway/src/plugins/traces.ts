// Traces: a request that comes with one is a span of it, and each of its lines in the log names both. Without one there is none.
import { spanOf, type Span } from '@push-server/runtime'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyRequest {
    /** Null without a trace. */
    span: Span | null
  }
}

export const traces = fp(
  async (app: FastifyInstance) => {
    app.decorateRequest('span', null)
    app.addHook('onRequest', (request, reply, done) => {
      joinTrace(request, reply)
      done()
    })
  },
  { name: 'traces' },
)

/** Before anything is logged. */
export function joinTrace(request: FastifyRequest, reply: FastifyReply): void {
  const span = spanOf(request.headers)
  if (!span) return
  const { traceId, spanId } = span
  request.span = span
  request.log = request.log.child({ traceId, spanId })
  reply.log = request.log
}

// /health and /metrics, the same as every other process serves them, and the one that monitors of the reference server ask.
import { probe, PROBE_PATHS, type Vitals } from '@push-server/runtime'
import type { FastifyInstance } from 'fastify'

export const healthRoutes = (vitals: Vitals) => async (app: FastifyInstance) => {
  for (const path of PROBE_PATHS)
    app.get(path, { schema: { hide: true }, logLevel: 'warn' }, async (_request, reply) => {
      const answer = await probe(vitals, path)
      return answer ? reply.code(answer.status).type(answer.type).send(answer.body) : reply.callNotFound()
    })

  app.get('/actuator/health', { schema: { hide: true }, logLevel: 'warn' }, async (_request, reply) => {
    const { status } = await vitals.health.report()
    return status === 'ready' ? { status: 'UP' } : reply.code(503).send({ status: 'DOWN' })
  })
}

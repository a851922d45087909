// /health and /metrics, the same as every other process serves them, and the one that monitors of the reference server ask.
import { PUBLIC } from '@push-server/contract'
import { probe, PROBE_PATHS, type Vitals } from '@push-server/runtime'
import type { FastifyInstance } from 'fastify'

/** Whether it lives and is ready says nothing of anybody; what it counts does. */
const scopeOf = (path: string) => (path === '/metrics' ? 'metrics' : PUBLIC)

export const healthRoutes = (vitals: Vitals) => async (app: FastifyInstance) => {
  for (const path of PROBE_PATHS)
    app.get(
      path,
      { schema: { hide: true }, logLevel: 'warn', config: { scope: scopeOf(path), exempt: true } },
      async (_request, reply) => {
        const answer = await probe(vitals, path)
        return answer ? reply.code(answer.status).type(answer.type).send(answer.body) : reply.callNotFound()
      },
    )

  app.get(
    '/actuator/health',
    { schema: { hide: true }, logLevel: 'warn', config: { scope: PUBLIC, exempt: true } },
    async (_request, reply) => {
      const { status } = await vitals.health.report()
      return status === 'ready' ? { status: 'UP' } : reply.code(503).send({ status: 'DOWN' })
    },
  )
}

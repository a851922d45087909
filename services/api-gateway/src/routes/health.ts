// /health and /metrics, as every other process serves them, and the paths that monitors of the reference server poll.
import { PUBLIC } from '@push-server/contract'
import { openHostCheck, type Context } from '@push-server/domain'
import { isOfMetrics, probe, PROBE_PATHS } from '@push-server/runtime'
import type { FastifyContextConfig, FastifyInstance } from 'fastify'

/** Whether it lives and is ready says nothing of anybody; why it is not, and what it counts, does. */
const STATES: FastifyContextConfig = { exempt: true, scope: PUBLIC, isProbe: true, detailScope: 'metrics' }
const METRICS: FastifyContextConfig = { exempt: true, scope: 'metrics' }

type Parts = Pick<Context, 'health' | 'metrics' | 'config' | 'access'>

export const healthRoutes = (parts: Parts) => async (app: FastifyInstance) => {
  const checkHost = openHostCheck(parts)
  for (const path of PROBE_PATHS)
    app.get(
      path,
      { schema: { hide: true }, logLevel: 'warn', config: isOfMetrics(path) ? METRICS : STATES },
      async (request, reply) => {
        const found = await probe(parts, path, async () => {
          await checkHost(request.headers.host)
          return request.mayReadDetails()
        })
        return found ? reply.code(found.status).type(found.type).send(found.body) : reply.callNotFound()
      },
    )
}

// Counts every request that has a response, by its route as OpenAPI shows it.
import type { Metrics } from '@push-server/runtime'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/** `:id` or `:id(pattern)` of a route is `{id}` in OpenAPI. */
const PARAMETER = /:(\w+)(?:\([^/]*\))?/g

export const requestMetrics = fp(
  async (app: FastifyInstance, { metrics }: { metrics: Pick<Metrics, 'requested'> }) => {
    const templates = new Map<string, string>()

    function templateOf(url: string): string {
      let template = templates.get(url)
      if (template === undefined) templates.set(url, (template = url.replaceAll(PARAMETER, '{$1}')))
      return template
    }

    app.addHook('onResponse', ({ method, routeOptions, is404 }, reply, done) => {
      const { url } = routeOptions
      const uri = is404 || url === undefined ? undefined : templateOf(url)
      metrics.requested({ uri, method, status: reply.statusCode }, reply.elapsedTime / 1000)
      done()
    })
  },
  { name: 'request-metrics' },
)

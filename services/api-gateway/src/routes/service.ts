// GET /push/service/status
import { okWith, OkWith, PUBLIC, ServiceStatus, timestampOf } from '@push-server/contract'
import type { Build, Config } from '@push-server/runtime'
import type { FastifyInstance } from 'fastify'
import { responses } from '../openapi/responses.ts'

/** Touches neither database nor queue. */
export const serviceRoutes = (config: Config, build: Build) => async (app: FastifyInstance) => {
  app.get(
    '/push/service/status',
    {
      config: { scope: PUBLIC, exempt: true },
      schema: {
        tags: ['Service'],
        operationId: 'serviceStatus',
        summary: 'Service status',
        response: responses(OkWith(ServiceStatus)),
      },
    },
    async () =>
      okWith({
        applicationName: config.applicationName,
        applicationDisplayName: config.applicationDisplayName,
        applicationEnvironment: config.applicationEnvironment,
        ...build,
        timestamp: timestampOf(new Date()),
      }),
  )
}

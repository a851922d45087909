// /admin/app/unconfigured: applications that PowerAuth Server knows and that are not configured here.
import { okWith, OkWith, UnconfiguredList } from '@push-server/contract'
import { listUnconfigured, type Activations, type Context } from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { responses } from '../openapi/responses.ts'

export const unconfiguredRoutes =
  ({ store }: Context, activations: Activations): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/admin/app/unconfigured/list',
      {
        config: { scope: 'admin' },
        schema: {
          tags: ['Administration'],
          operationId: 'listUnconfiguredApplications',
          summary: 'List applications that are not configured yet',
          description: 'Those that PowerAuth Server knows, in its order; without PowerAuth Server there are none.',
          response: responses(OkWith(UnconfiguredList)),
        },
      },
      async (request) => okWith({ applicationList: await listUnconfigured({ store, activations }, request) }),
    )
  }

// /admin/queues: Bull Board, a look into the queues. They hold hints only; what is true stands in the database.
import { createBullBoard } from '@bull-board/api'
import { FastifyAdapter } from '@bull-board/fastify'
import type { Context } from '@push-server/domain'
import type { FastifyInstance } from 'fastify'

const PATH = '/admin/queues'

export const queueRoutes =
  ({ queues }: Pick<Context, 'queues'>) =>
  async (app: FastifyInstance) => {
    const serverAdapter = new FastifyAdapter().setBasePath(PATH)
    createBullBoard({
      queues: queues.boards(),
      serverAdapter,
      options: { uiConfig: { boardTitle: 'Push Server queues' } },
    })
    // Its own routes are no part of the API and stay out of its description.
    app.addHook('onRoute', (route) => {
      route.schema = { ...route.schema, hide: true }
    })
    await app.register(serverAdapter.registerPlugin(), { prefix: PATH })
  }

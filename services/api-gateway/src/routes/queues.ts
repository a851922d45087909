// /admin/queues: Bull Board, which shows the queues. They hold hints only; the truth is in the database.
import { createBullBoard } from '@bull-board/api'
import { FastifyAdapter } from '@bull-board/fastify'
import { PRODUCT_NAME } from '@push-server/contract'
import type { Context } from '@push-server/domain'
import type { FastifyInstance } from 'fastify'
import { baseOf } from '../bases.ts'

const PATH = '/admin/queues'
const POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"

/** Its page names its own address once, and loads everything relatively to that. */
const BASE = `<base href="${PATH}/"`

const withBase = (page: string, base: string) =>
  base === '' ? page : page.replace(BASE, BASE.replace(PATH, base + PATH))

export const queueRoutes =
  ({ queues }: Pick<Context, 'queues'>) =>
  async (app: FastifyInstance) => {
    const serverAdapter = new FastifyAdapter().setBasePath(PATH)
    createBullBoard({
      queues: queues.boards(),
      serverAdapter,
      options: { uiConfig: { boardTitle: `${PRODUCT_NAME} queues` } },
    })
    // Its page requests fonts from elsewhere; it works without them.
    app.addHook('onSend', (request, reply, payload, done) => {
      reply.header('content-security-policy', POLICY)
      done(null, typeof payload === 'string' ? withBase(payload, baseOf(request.raw)) : payload)
    })
    // Its own routes are no part of the API and stay out of its description.
    app.addHook('onRoute', (route) => {
      route.config = { ...route.config, scope: 'queue-ui' }
      route.schema = { ...route.schema, hide: true }
    })
    await app.register(serverAdapter.registerPlugin(), { prefix: PATH })
  }

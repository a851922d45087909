// Pages of other sites must not make a browser act here, be it with the user and password that it keeps, or on a server on
// its own machine that asks for none. A POST without a body is one that browsers let them make unasked.
import { forbidden } from '@push-server/contract'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

const READING: readonly string[] = ['GET', 'HEAD', 'OPTIONS']

export const crossSite = fp(
  async (app: FastifyInstance) => {
    // The header is the browser's own; nobody else sends it.
    app.addHook('onRequest', async ({ method, headers }) => {
      if (headers['sec-fetch-site'] === 'cross-site' && !READING.includes(method))
        throw forbidden('Pages of other sites may not call this server')
    })
  },
  { name: 'cross-site' },
)

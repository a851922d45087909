// Pages of other sites must not make a browser act here, be it with the user and password that it keeps, or on a server on
// its own machine that requires no key. Browsers let them send a POST without a body and without a preflight.
import { forbidden } from '@push-server/contract'
import type { Config } from '@push-server/runtime'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { isBasic, isOwnPage } from '../validation/origin.ts'

const READING: readonly string[] = ['GET', 'HEAD', 'OPTIONS']

const ELSEWHERE = 'Pages of other sites may not call this server; PUBLIC_ORIGINS names those that may'
const BASIC =
  'Pages may send a key as Basic to /admin/queues alone, as browsers send it unasked: send it as Bearer <id>.<secret>'

export const crossSite = fp(
  async (app: FastifyInstance, { publicOrigins }: Pick<Config, 'publicOrigins'>) => {
    app.addHook('onRequest', (request, _reply, done) => {
      const { method, host, headers } = request
      const { origin } = headers
      const site = headers['sec-fetch-site']?.toString()
      if (!READING.includes(method) && !isOwnPage({ site, origin, host }, publicOrigins)) {
        request.log.info({ origin, site, host }, 'page of another site refused')
        throw forbidden(ELSEWHERE)
      }
      if (origin !== undefined && isBasic(headers.authorization) && !isQueueUi(request)) throw forbidden(BASIC)
      done()
    })
  },
  { name: 'cross-site' },
)

/** Its own page can only send what the browser keeps. */
const isQueueUi = ({ routeOptions }: FastifyRequest) => routeOptions.config.scope === 'queue-ui'

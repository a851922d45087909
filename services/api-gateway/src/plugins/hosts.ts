// Which values of `Host` are accepted while no key is required. Probes are exempt, since their responses say nothing.
import { openHostCheck, type Context } from '@push-server/domain'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Orchestrators call it under any name. */
    isProbe?: boolean
  }
}

export const hosts = fp(
  async (app: FastifyInstance, context: Pick<Context, 'config' | 'access'>) => {
    const check = openHostCheck(context)
    // X-Forwarded-Host does not count: a page whose name leads here can send any header.
    app.addHook('onRequest', (request, _reply, done) => {
      const { host } = request.headers
      const pending = request.routeOptions.config?.isProbe ? undefined : check(host)
      if (!pending) return done()
      pending.then(
        () => done(),
        (error) => {
          request.log.info({ host }, 'Host refused')
          done(error)
        },
      )
    })
  },
  { name: 'hosts' },
)

// Under which names this server may be called while nobody is asked for a key. Probes are exempt: who asks them reads nothing.
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
    // Not X-Forwarded-Host: a page that has led its name here can send any header.
    app.addHook('onRequest', async (request) => {
      const { host } = request.headers
      if (request.routeOptions.config?.isProbe) return
      try {
        await check(host)
      } catch (error) {
        request.log.info({ host }, 'Host refused')
        throw error
      }
    })
  },
  { name: 'hosts' },
)

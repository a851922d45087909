// The HTTP side: the phones' page, what it reads, and the control calls.
import { isLocalHost, isLoopback } from '@push-server/runtime'
import fastify, { type FastifyInstance } from 'fastify'
import type { AddressInfo } from 'node:net'
import type { Context } from '../context.ts'
import { controlRoutes } from './control.ts'
import { eventRoutes } from './events.ts'
import { openPage } from './page.ts'
import type { Directory } from '../power-auth/directory.ts'
import { phoneRoutes } from './phones.ts'
import { powerAuthRoutes } from './power-auth.ts'

export interface PageOptions {
  host: string
  port: number
  directory: Directory
  /** Names beside loopback that requests may have as `Host` while it listens on loopback. */
  allowedHosts: readonly string[]
}

/** Resolves when it listens. */
export async function startPage(context: Context, { host, port, directory, allowedHosts }: PageOptions) {
  const app = fastify({
    // The streams of events never end by themselves.
    forceCloseConnections: true,
    // Tokens stand in paths, and those of Android are long.
    routerOptions: { maxParamLength: 4096 },
    // A member of a wrong type or name is refused, not corrected.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  })
  if (isLoopback(host)) refuseOtherHosts(app, allowedHosts)
  app.register(await openPage())
  app.register(phoneRoutes(context))
  app.register(eventRoutes(context))
  app.register(controlRoutes(context))
  app.register(powerAuthRoutes(directory))
  await app.listen({ host, port })
  return { port: (app.server.address() as AddressInfo).port, stop: () => app.close() }
}

/** A page of another site that has led its name here (DNS rebinding) could read the phones and change how providers behave. */
function refuseOtherHosts(app: FastifyInstance, allowedHosts: readonly string[]) {
  app.addHook('onRequest', async ({ headers }, reply) => {
    if (isLocalHost(headers.host, allowedHosts)) return
    return reply.code(421).send({ message: 'This Host is not allowed: add its name to ALLOWED_HOSTS' })
  })
}

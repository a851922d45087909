// The HTTP side: the phones' page, what it reads, and the control calls.
import fastify from 'fastify'
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
}

/** Resolves when it listens. */
export async function startPage(context: Context, { host, port, directory }: PageOptions) {
  const app = fastify({
    // The streams of events never end by themselves.
    forceCloseConnections: true,
    // Tokens stand in paths, and those of Android are long.
    routerOptions: { maxParamLength: 4096 },
    // A member of a wrong type or name is an error to be told, not to be mended.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  })
  app.register(await openPage())
  app.register(phoneRoutes(context))
  app.register(eventRoutes(context))
  app.register(controlRoutes(context))
  app.register(powerAuthRoutes(directory))
  await app.listen({ host, port })
  return { port: (app.server.address() as AddressInfo).port, stop: () => app.close() }
}

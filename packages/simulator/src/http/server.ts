// The HTTP side: the phones' page, what it reads, and the control calls.
import fastify from 'fastify'
import type { AddressInfo } from 'node:net'
import type { Context } from '../context.ts'
import { controlRoutes } from './control.ts'
import { eventRoutes } from './events.ts'
import { openPage } from './page.ts'
import { phoneRoutes } from './phones.ts'

/** Resolves when it listens. */
export async function startPage(context: Context, { host, port }: { host: string; port: number }) {
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
  await app.listen({ host, port })
  return { port: (app.server.address() as AddressInfo).port, stop: () => app.close() }
}

// The API as a value: everything that can be tested without a socket.
import type { Activations, Context, Waiters } from '@push-server/domain'
import Fastify, { LogController, type FastifyInstance } from 'fastify'
import manifest from '../package.json' with { type: 'json' }
import { answerFault, envelope } from './plugins/envelope.ts'
import { openapi } from './plugins/openapi.ts'
import { CORRELATION_HEADER, requestId, requests } from './plugins/requests.ts'
import { applicationRoutes } from './routes/application.ts'
import { credentialsRoutes } from './routes/credentials.ts'
import { deviceRoutes } from './routes/device.ts'
import { deviceImportRoutes } from './routes/device-import.ts'
import { healthRoutes } from './routes/health.ts'
import { messageRoutes } from './routes/message.ts'
import { queueRoutes } from './routes/queues.ts'
import { serviceRoutes } from './routes/service.ts'
import { unconfiguredRoutes } from './routes/unconfigured.ts'

const { version } = manifest

/** What the gateway opens beside the context. */
export interface Parts {
  waiters: Waiters
  activations: Activations
}

export async function buildApp(context: Context, { waiters, activations }: Parts): Promise<FastifyInstance> {
  const { config, log } = context
  const app = Fastify({
    loggerInstance: log,
    // A path that cannot be decoded never reaches the plugins.
    frameworkErrors: (error, request, reply) => void answerFault(reply.header(CORRELATION_HEADER, request.id), error),
    // One line per request, by the plugin `requests`.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: config.bodyLimit,
    genReqId: (request) => requestId(request.headers),
    // Stopping waits for requests under way, not for clients that keep a connection open.
    forceCloseConnections: 'idle',
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        allErrors: true,
        keywords: ['x-case'],
      },
    },
  })
  await app.register(envelope)
  await app.register(requests)
  await app.register(openapi, { version })
  await app.register(healthRoutes(context))
  await app.register(serviceRoutes(config, version))
  await app.register(applicationRoutes(context))
  await app.register(credentialsRoutes(context))
  await app.register(unconfiguredRoutes(context, activations))
  await app.register(deviceRoutes(context, activations))
  await app.register(deviceImportRoutes(context, activations))
  await app.register(messageRoutes(context, waiters))
  await app.register(queueRoutes(context))
  return app as unknown as FastifyInstance
}

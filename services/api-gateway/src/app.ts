// The API as a value: everything that can be tested without a socket.
import type { Activations, Context } from '@push-server/domain'
import { createClientErrors } from '@push-server/runtime'
import Fastify, { LogController, type FastifyInstance } from 'fastify'
import { authentication } from './plugins/authentication.ts'
import { crossSite } from './plugins/cross-site.ts'
import { readBuild } from './build.ts'
import { answerRoutingError, envelope } from './plugins/envelope.ts'
import { hosts } from './plugins/hosts.ts'
import { HTTP_OPTIONS, httpServer } from './plugins/http-server.ts'
import { openapi } from './plugins/openapi.ts'
import { paths } from './plugins/paths.ts'
import { requestId, requests, RESPONSE_HEADERS } from './plugins/requests.ts'
import { applicationRoutes } from './routes/application.ts'
import { campaignImportRoutes } from './routes/campaign-import.ts'
import { campaignSendingRoutes } from './routes/campaign-sending.ts'
import { campaignRoutes } from './routes/campaign.ts'
import { credentialsRoutes } from './routes/credentials.ts'
import { deviceRoutes } from './routes/device.ts'
import { deviceImportRoutes } from './routes/device-import.ts'
import { healthRoutes } from './routes/health.ts'
import { homeRoutes } from './routes/home.ts'
import { inboxRoutes } from './routes/inbox.ts'
import { messageRoutes, type Desk } from './routes/message.ts'
import { pauseRoutes } from './routes/pauses.ts'
import { queueRoutes } from './routes/queues.ts'
import { serviceRoutes } from './routes/service.ts'
import { unconfiguredRoutes } from './routes/unconfigured.ts'

/** Words of the contract's schemas that the validator does not know of itself. */
const KEYWORDS = [
  'x-case',
  'x-clamp',
  'x-words',
  {
    keyword: 'x-max-units',
    type: 'string' as const,
    schemaType: 'number' as const,
    validate: (most: number, text: string) => text.length <= most,
    errors: false,
  },
]

/** What the gateway opens beside the context. */
export interface Parts extends Desk {
  activations: Activations
}

export async function buildApp(context: Context, { activations, ...desk }: Parts): Promise<FastifyInstance> {
  const { access, config, log } = context
  const clientErrors = createClientErrors(log, RESPONSE_HEADERS)
  const app = Fastify({
    loggerInstance: log,
    http: HTTP_OPTIONS,
    clientErrorHandler: clientErrors.refuse,
    frameworkErrors: answerRoutingError,
    // Requests that come meanwhile are refused by the plugin `http-server`.
    return503OnClosing: false,
    // One line per request, by the plugin `requests`.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: config.bodyLimit,
    trustProxy: config.trustProxy ?? false,
    genReqId: (request) => requestId(request.headers),
    // Stopping waits for requests under way, not for clients that keep a connection open.
    forceCloseConnections: 'idle',
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        allErrors: true,
        // For the hint: what is wrong with a member follows from its schema.
        verbose: true,
        keywords: KEYWORDS,
      },
    },
  })
  await app.register(envelope)
  await app.register(requests)
  await app.register(httpServer, { clientErrors })
  await app.register(hosts, context)
  await app.register(paths)
  await app.register(crossSite, config)
  await app.register(authentication, { access })
  const build = await readBuild()
  await app.register(openapi, build)
  await app.register(healthRoutes(context))
  await app.register(homeRoutes(config, build))
  await app.register(serviceRoutes(config, build))
  await app.register(applicationRoutes(context))
  await app.register(credentialsRoutes(context))
  await app.register(pauseRoutes(context))
  await app.register(unconfiguredRoutes(context, activations))
  await app.register(deviceRoutes(context, activations))
  await app.register(deviceImportRoutes(context, activations))
  await app.register(messageRoutes(context, desk))
  await app.register(campaignRoutes(context))
  await app.register(campaignImportRoutes(context))
  await app.register(campaignSendingRoutes(context, desk))
  await app.register(inboxRoutes(context))
  await app.register(queueRoutes(context))
  return app as unknown as FastifyInstance
}

// The API as a value: everything that can be tested without a socket.
import { createQuotas, type Context } from '@push-server/domain'
import { createClientErrors, readBuild } from '@push-server/runtime'
import Fastify, { LogController, type FastifyInstance } from 'fastify'
import { authentication } from './plugins/authentication.ts'
import { crossSite } from './plugins/cross-site.ts'
import { openBases } from './bases.ts'
import { routingErrors, envelope } from './plugins/envelope.ts'
import { hosts } from './plugins/hosts.ts'
import { HTTP_OPTIONS, httpServer } from './plugins/http-server.ts'
import { createImports } from './ndjson/imports.ts'
import { openapi } from './openapi/openapi.ts'
import type { Parts } from './parts.ts'
import { paths } from './plugins/paths.ts'
import { preferences } from './plugins/preferences.ts'
import { requestMetrics } from './plugins/request-metrics.ts'
import { responseForms } from './plugins/response-forms.ts'
import { requestLimit } from './plugins/request-limit.ts'
import { requestTimeout } from './plugins/request-timeout.ts'
import { traces } from './plugins/traces.ts'
import { requestId, requests, RESPONSE_HEADERS } from './plugins/requests.ts'
import { applicationImportRoutes } from './routes/application-import.ts'
import { applicationRoutes } from './routes/application.ts'
import { campaignImportRoutes } from './routes/campaign-import.ts'
import { campaignSendingRoutes } from './routes/campaign-sending.ts'
import { campaignRoutes } from './routes/campaign.ts'
import { credentialsRoutes } from './routes/credentials.ts'
import { deviceRoutes } from './routes/device.ts'
import { deviceImportRoutes } from './routes/device-import.ts'
import { healthRoutes } from './routes/health.ts'
import { homeRoutes } from './routes/home.ts'
import { inboxImportRoutes } from './routes/inbox-import.ts'
import { inboxRoutes } from './routes/inbox.ts'
import { messageOperationRoutes } from './routes/message-operations.ts'
import { messageRoutes } from './routes/message.ts'
import { pauseRoutes } from './routes/pauses.ts'
import { queueRoutes } from './routes/queues.ts'
import { serviceRoutes } from './routes/service.ts'
import { unconfiguredRoutes } from './routes/unconfigured.ts'

/** Longest time for the headers of a request, and how often it is checked. */
const HEADERS_MS = 60_000
const CHECK_CONNECTIONS_MS = 5000
/** A connection without traffic is closed after the longest wait of a request, and this. */
const QUIET_MS = 60_000

export async function buildApp(context: Context, { activations, ...parts }: Parts): Promise<FastifyInstance> {
  const { access, config, log, metrics } = context
  const quotas = createQuotas({ config, metrics, ofApplication: parts.pressure.quotaOf })
  const sending = { ...parts, quotas }
  const imports = createImports(context)
  const clientErrors = createClientErrors(log, RESPONSE_HEADERS)
  const bases = openBases(config)
  const app = Fastify({
    loggerInstance: log,
    clientErrorHandler: clientErrors.refuse,
    frameworkErrors: routingErrors(config),
    // Requests that come meanwhile are refused by the plugin `http-server`.
    return503OnClosing: false,
    // One line per request, by the plugin `requests`.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: config.bodyLimit,
    // Bodies have limits of their own (plugins `request-timeout` and `upload`): the longest of them is the last resort.
    http: { ...HTTP_OPTIONS, headersTimeout: HEADERS_MS, connectionsCheckingInterval: CHECK_CONNECTIONS_MS },
    requestTimeout: Math.max(config.requestTimeout, config.importTimeout) + HEADERS_MS,
    connectionTimeout: Math.max(config.syncTimeout, config.requestTimeout, config.importIdle) + QUIET_MS,
    trustProxy: config.trustProxy ?? false,
    rewriteUrl: bases.strip,
    genReqId: (request) => requestId(request.headers),
    // Stopping waits for requests under way, not for clients that keep a connection open.
    forceCloseConnections: 'idle',
  })
  app.addHook('preClose', async () => {
    imports.stop()
    parts.waiters.endWithin(config.stopTimeout)
  })
  app.addHook('onRoute', ({ url }) => bases.know(url))
  await app.register(envelope)
  await app.register(traces)
  await app.register(requests)
  await app.register(responseForms, { config })
  await app.register(requestMetrics, { metrics })
  await app.register(httpServer, { clientErrors, config })
  await app.register(hosts, context)
  await app.register(paths)
  await app.register(crossSite, config)
  await app.register(requestLimit, { config, metrics })
  await app.register(requestTimeout, { config, metrics })
  await app.register(authentication, { access })
  await app.register(preferences)
  const build = await readBuild()
  await app.register(openapi, build)
  await app.register(healthRoutes(context))
  await app.register(homeRoutes(config, build))
  await app.register(serviceRoutes(config, build))
  await app.register(applicationRoutes(context))
  await app.register(applicationImportRoutes(context, imports))
  await app.register(credentialsRoutes(context))
  await app.register(pauseRoutes(context))
  await app.register(unconfiguredRoutes(context, activations))
  await app.register(deviceRoutes(context, activations))
  await app.register(deviceImportRoutes(context, { imports, activations }))
  await app.register(messageRoutes(context, sending))
  await app.register(messageOperationRoutes(context, sending))
  await app.register(campaignRoutes(context))
  await app.register(campaignImportRoutes(context, imports))
  await app.register(campaignSendingRoutes(context, sending))
  await app.register(inboxRoutes(context))
  await app.register(inboxImportRoutes(context, imports))
  await app.register(queueRoutes(context))
  return app as unknown as FastifyInstance
}

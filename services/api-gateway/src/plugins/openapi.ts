// The API's description, from the same schemas that validate it, with a console that needs nothing from elsewhere.
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { finishDocument, type Document } from './openapi-document.ts'

const TAGS = [
  { name: 'Service', description: 'Status of the server.' },
  { name: 'Administration', description: 'Applications and their credentials.' },
  { name: 'Devices', description: 'Push tokens, tied to users through activations.' },
  { name: 'Messages', description: 'Notifications to single users.' },
  { name: 'Inbox', description: 'Messages that wait for the user in the mobile application.' },
]

/** How a client proves who it is, and which of these ways each operation wants. */
const SECURITY = { schemes: {}, wanted: [] }

/** Everything the console loads comes from here. */
const CONSOLE_POLICY =
  "default-src 'self'; base-uri 'self'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'; script-src-attr 'none'"

export const openapi = fp(
  async (app: FastifyInstance, { version }: { version: string }) => {
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Push Server API',
          version,
          description: 'One API in front of APNs, FCM and HMS.',
          license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
        },
        servers: [{ url: '/' }],
        tags: TAGS,
        components: { securitySchemes: SECURITY.schemes },
        security: SECURITY.wanted,
      },
      transformObject: (collected) =>
        'openapiObject' in collected ? finishDocument(collected.openapiObject as Document) : collected.swaggerObject,
    })
    await app.register(swaggerUi, {
      routePrefix: '/swagger-ui',
      staticCSP: CONSOLE_POLICY,
      uiConfig: { tryItOutEnabled: true },
      theme: {
        title: 'Push Server API',
        css: [{ filename: 'theme.css', content: '.swagger-ui .topbar { display: none }' }],
      },
    })
    for (const path of ['/v3/api-docs', '/v3/api-docs/push'])
      app.get(path, { schema: { hide: true } }, async () => app.swagger())
    app.get('/swagger-ui.html', { schema: { hide: true } }, async (_request, reply) => reply.redirect('/swagger-ui/'))
  },
  { name: 'openapi' },
)

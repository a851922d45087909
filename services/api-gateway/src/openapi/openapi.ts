// The API's description, from the same schemas that validate it, with a console that needs nothing from elsewhere. It is derived once for
// each form of responses; the form and the base of the request that reads it decide which one that request gets.
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { PRODUCT_NAME, PUBLIC, type Form } from '@push-server/contract'
import type { FastifyContextConfig, FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { stringify } from 'yaml'
import { baseOf } from '../bases.ts'
import { finishDocument, type Document } from './document.ts'
import { exampleValues } from './example-values.ts'

const TAGS = [
  { name: 'Service', description: 'Status of the server.' },
  { name: 'Administration', description: 'Applications and their credentials.' },
  { name: 'Devices', description: 'Push tokens, tied to users through activations.' },
  { name: 'Messages', description: 'Notifications to single users.' },
  { name: 'Campaigns', description: 'One notification to many users.' },
  { name: 'Inbox', description: 'Messages that wait for the user in the mobile application.' },
]

const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'An API key, `<id>.<secret>`.' },
  basic: {
    type: 'http',
    scheme: 'basic',
    description:
      'The id of an API key as user, its secret as password, or the whole key without a colon; from programs. Pages send keys as bearer.',
  },
} as const

/**
 * Either scheme, and the scope that the route requires. A generated client may apply both, and the last one stays: that of a key in one
 * text, which keys are.
 */
const securityOf = ({ scope }: FastifyContextConfig): Record<string, string[]>[] =>
  scope === undefined || scope === PUBLIC ? [] : [{ basic: [scope] }, { bearer: [scope] }]

/** `base`: where the document was requested. */
const serversUnder = (base: string) => [{ url: base === '' ? '/' : base }]

/** Redirects are relative, since nobody here knows what a proxy has stripped. Of routes that the console's own plugin makes. */
const CONSOLE_REDIRECTS: Readonly<Record<string, string>> = {
  '/swagger-ui': 'swagger-ui/',
  '/swagger-ui/static/index.html': '../',
}

/** Everything the console loads comes from here. */
const CONSOLE_POLICY =
  "default-src 'self'; base-uri 'self'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'; script-src-attr 'none'"

export const openapi = fp(
  async (app: FastifyInstance, { version }: { version: string }) => {
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: `${PRODUCT_NAME} API`,
          version,
          license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
        },
        servers: serversUnder(''),
        tags: TAGS,
        components: { securitySchemes: SECURITY_SCHEMES },
      },
      transform: ({ schema, url, route }) => ({
        schema: { ...schema, security: securityOf(route.config ?? {}) },
        url,
      }),
    })
    await app.register(apiConsole)
  },
  { name: 'openapi' },
)

/** The description for the request that reads it. */
function describer(app: FastifyInstance) {
  const derived = new Map<Form, Document>()
  const ofForm = (form: Form): Document => {
    const known = derived.get(form)
    if (known) return known
    const document = finishDocument(app.swagger() as Document, { form, examples: exampleValues(Date.now()) })
    derived.set(form, document)
    return document
  }
  return ({ form, raw }: FastifyRequest) => ({ ...ofForm(form), servers: serversUnder(baseOf(raw)) })
}

async function apiConsole(app: FastifyInstance) {
  const describe = describer(app)
  // Its own routes come without a scope.
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, scope: PUBLIC }
  })
  app.addHook('onRequest', (request, reply, done) => {
    // Of the path as it came: the route is one for both.
    const target = CONSOLE_REDIRECTS[request.url.split('?', 1)[0] ?? '']
    if (target === undefined) return done()
    reply.redirect(target)
  })
  await app.register(swaggerUi, {
    routePrefix: '/swagger-ui',
    staticCSP: CONSOLE_POLICY,
    uiConfig: { tryItOutEnabled: true },
    transformSpecification: (_collected, request) => describe(request),
    transformSpecificationClone: false,
    theme: {
      title: `${PRODUCT_NAME} API`,
      css: [{ filename: 'theme.css', content: '.swagger-ui .topbar { display: none }' }],
    },
  })
  for (const path of ['/v3/api-docs', '/v3/api-docs/push'])
    app.get(path, { schema: { hide: true } }, async (request) => describe(request))
  app.get('/v3/api-docs.yaml', { schema: { hide: true } }, async (request, reply) =>
    reply.type('application/yaml').send(stringify(describe(request), { aliasDuplicateObjects: false })),
  )
  // Where consoles of the reference stand.
  app.get('/swagger-ui/index.html', { schema: { hide: true } }, async (_request, reply) => reply.redirect('./'))
  app.get('/swagger-ui.html', { schema: { hide: true } }, async (_request, reply) => reply.redirect('swagger-ui/'))
}

// GET /: what is running here, and where to go. It loads nothing, from here or from elsewhere.
import { createHash } from 'node:crypto'
import { PRODUCT_NAME, PUBLIC } from '@push-server/contract'
import type { Build, Config } from '@push-server/runtime'
import type { FastifyInstance } from 'fastify'
import { bareSegmentOf } from '../bases.ts'

const STYLE =
  ':root { color-scheme: light dark } body { font: 1rem/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 40rem; padding: 0 1rem }'
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escape = (text: string) => text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? character)

const page = (name: string, { version, buildTime }: Build) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${PRODUCT_NAME}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${PRODUCT_NAME}</h1>
<p>${escape(name)}, version ${escape(version)}, built ${escape(buildTime)}</p>
<ul>
<li><a href="swagger-ui.html">API console</a></li>
<li><a href="v3/api-docs">API description (OpenAPI)</a></li>
<li><a href="push/service/status">Status</a> and <a href="health/ready">health</a> of this process</li>
<li><a href="metrics">Metrics</a> and <a href="admin/queues">queues</a>, for keys with their scopes</li>
</ul>
</body>
</html>
`

export const homeRoutes = (config: Config, build: Build) => async (app: FastifyInstance) => {
  const html = page(config.applicationDisplayName, build)
  app.get('/', { schema: { hide: true }, config: { scope: PUBLIC } }, async (request, reply) => {
    const bare = bareSegmentOf(request.raw)
    if (bare !== undefined) return reply.redirect(`${bare}/`)
    return reply.type('text/html; charset=utf-8').header('content-security-policy', POLICY).send(html)
  })
}

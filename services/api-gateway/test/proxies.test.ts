// The console, the documents, the queue UI and the page at `/` behind proxies: one of our own that strips a prefix always runs, nginx where
// it is installed.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bound, freePort, openTestStack, waitFor } from '@push-server/testing'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { crawl } from './_pages.ts'

const OWN = '/powerauth-push-server'

const stack = await openTestStack({ services: ['gateway'], environment: { TRUST_PROXY: 'loopback' } })
t.teardown(() => stack.close())
const { port: gatewayPort } = stack.context.config

interface Document {
  servers: { url: string }[]
  paths: object
}

/** `root`: whole, without a slash at the end. `base`: its path, as the gateway knows it. */
async function isServedWhole(t: Test, root: string, base: string): Promise<void> {
  const bare = await fetch(root, { redirect: 'manual' })
  if (bare.status !== 200) {
    t.ok([301, 302].includes(bare.status), `a bare prefix is redirected: ${bare.status}`)
    t.equal(new URL(bare.headers.get('location') ?? '', root).pathname, `${new URL(root).pathname}/`)
  }
  await crawl(t, `${root}/`, root)
  for (const path of ['/swagger-ui', '/swagger-ui/', '/swagger-ui.html', '/swagger-ui/index.html'])
    t.equal((await crawl(t, root + path, root)).url, `${root}/swagger-ui/`, path)
  t.equal((await fetch(`${root}/swagger-ui/static/index.html`)).url, `${root}/swagger-ui/`)

  for (const path of [
    '/v3/api-docs',
    '/v3/api-docs/push',
    '/v3/api-docs.yaml',
    '/swagger-ui/json',
    '/swagger-ui/yaml',
  ]) {
    const document = parse(await (await fetch(root + path)).text()) as Document
    t.same(document.servers, [{ url: base === '' ? '/' : base }], path)
    t.ok(Object.keys(document.paths).length > 40, 'with its paths')
    const server = new URL(document.servers[0]?.url ?? '', root + path).href.replace(/\/$/, '')
    t.equal((await fetch(`${server}/push/service/status`)).status, 200, `${path} leads to the API`)
  }

  for (const path of ['/admin/queues', '/admin/queues/', '/admin/queues/queue/any']) {
    const { text } = await crawl(t, root + path, root)
    t.match(text, `<base href="${base}/admin/queues/"`, path)
  }
  t.equal((await fetch(`${root}/admin/queues/api/queues`)).status, 200)
}

/** In the form of the versions there are no violations; the document's form has them. */
async function formAt(root: string, headers: Record<string, string> = {}): Promise<'1.10' | 'all'> {
  const response = await fetch(`${root}/push/device/%E9`, { headers })
  const { responseObject } = (await response.json()) as { responseObject: object }
  return 'violations' in responseObject ? 'all' : '1.10'
}

/** Strips the prefix of its requests, and says so in the header or does not. Resolves with its origin. */
async function stripping(t: Test, prefix: string, saysSo: boolean): Promise<string> {
  const server = createServer((request, response) => {
    const { url = '/', method, headers } = request
    if (!url.startsWith(prefix)) return response.writeHead(404).end()
    const rest = url.slice(prefix.length)
    const passed = httpRequest({
      port: gatewayPort,
      path: rest.startsWith('/') ? rest : `/${rest}`,
      ...(method !== undefined && { method }),
      headers: { ...headers, ...(saysSo && { 'x-forwarded-prefix': prefix }) },
    })
    passed.on('error', () => response.destroy())
    passed.on('response', (found) => {
      response.writeHead(found.statusCode ?? 500, found.headers)
      found.pipe(response)
    })
    request.pipe(passed)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('without a proxy', async (t) => {
  await isServedWhole(t, stack.api.url, '')
  await isServedWhole(t, stack.api.url + OWN, OWN)
  t.equal(await formAt(stack.api.url), 'all')
  t.equal(await formAt(stack.api.url + OWN), '1.10')
})

t.test('a proxy that strips the prefix and names it', async (t) => {
  const origin = await stripping(t, '/bank/gw', true)
  await isServedWhole(t, `${origin}/bank/gw`, '/bank/gw')
  t.equal(await formAt(`${origin}/bank/gw`), '1.10')
  await isServedWhole(t, `${origin}/bank/gw${OWN}`, `/bank/gw${OWN}`)
  const same = await stripping(t, OWN, true)
  await isServedWhole(t, same + OWN, OWN)
  t.equal(await formAt(same + OWN), '1.10')
})

/** It is the root that the gateway sees. */
async function isServedAsRoot(t: Test, root: string): Promise<void> {
  t.equal(await formAt(root), 'all')
  t.equal(await formAt(root, { 'x-push-compatibility': '1.10' }), '1.10', 'a request says it itself')
  await crawl(t, `${root}/`, root)
  await crawl(t, `${root}/swagger-ui.html`, root)
  const { servers } = (await (await fetch(`${root}/v3/api-docs`)).json()) as Document
  t.same(servers, [{ url: '/' }])
}

t.test('a proxy that strips the prefix and does not name it', async (t) => {
  const origin = await stripping(t, '/gw', false)
  await isServedAsRoot(t, `${origin}/gw`)
})

const noNginx = spawnSync('nginx', ['-v']).error ? 'there is no nginx on this machine' : false

t.test('nginx', { skip: noNginx }, async (t) => {
  const port = await startNginx(t)
  const root = `http://127.0.0.1:${port}`
  await isServedWhole(t, `${root}/stripped`, '/stripped')
  await isServedWhole(t, `${root}/carried`, '/carried')
  await isServedWhole(t, root + OWN, OWN)
  for (const path of ['/stripped', '/carried', OWN]) t.equal(await formAt(root + path), '1.10', path)
  await isServedAsRoot(t, `${root}/silent`)
})

async function startNginx(t: Test): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'bases-nginx-'))
  const port = await freePort()
  await writeFile(join(folder, 'nginx.conf'), configuration(folder, port))
  const nginx = bound(
    spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')], { stdio: 'inherit' }),
  )
  t.teardown(async () => {
    nginx.kill('SIGTERM')
    if (nginx.exitCode === null && nginx.signalCode === null) await once(nginx, 'exit')
    await rm(folder, { recursive: true })
  })
  await waitFor('nginx', () =>
    fetch(`http://127.0.0.1:${port}/silent/health/live`).then(
      ({ ok }) => ok,
      () => false,
    ),
  )
  return port
}

/** `proxy_pass` with a path strips, without one it does not. */
const configuration = (folder: string, port: number) => `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path ${folder};
  proxy_temp_path ${folder};
  fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder};
  scgi_temp_path ${folder};
  proxy_set_header Host $http_host;
  server {
    listen 127.0.0.1:${port};
    location /stripped/ {
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Prefix /stripped;
      proxy_pass http://127.0.0.1:${gatewayPort}/;
    }
    location /carried/ {
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Prefix /carried;
      proxy_pass http://127.0.0.1:${gatewayPort};
    }
    location ${OWN} { proxy_pass http://127.0.0.1:${gatewayPort}; }
    location /silent/ { proxy_pass http://127.0.0.1:${gatewayPort}/; }
  }
}
`

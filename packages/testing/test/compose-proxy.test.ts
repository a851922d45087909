// The proxy of docker-compose.yml before several gateways, as nginx takes its configuration.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { freePort, waitFor } from '@push-server/testing'

const PROXY = join(import.meta.dirname, '../../../proxy.conf')

const noNginx = spawnSync('nginx', ['-v']).error ? 'there is no nginx on this machine' : false
t.test('the proxy: every gateway gets requests, and the loss of one costs none', { skip: noNginx }, async (t) => {
  const folder = t.testdir({})
  const gateways = [await startEcho(t), await startEcho(t)]
  const port = await freePort()
  // As on a machine without Docker's DNS, and for whoever runs this.
  const written = (await readFile(PROXY, 'utf8'))
    .replace('listen 8080', `listen 127.0.0.1:${port}`)
    .replace(/^ *resolver .*$/m, '')
    .replace('http://api-gateway:8080', 'http://api-gateway')
  const upstream = gateways.map(({ port }) => `server 127.0.0.1:${port} max_fails=0;`).join(' ')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  )
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off; pid ${folder}/pid; error_log stderr crit; events {} http { access_log off; ${temporary.join(' ')}
     upstream api-gateway { ${upstream} } ${written} }`,
  )
  const nginx = spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  t.teardown(async () => {
    nginx.kill('SIGTERM')
    if (nginx.exitCode === null) await once(nginx, 'exit')
  })
  const url = `http://127.0.0.1:${port}/push/message/send`
  await waitFor('nginx', () =>
    fetch(url).then(
      (response) => response.ok,
      () => false,
    ),
  )
  const body = 'x'.repeat(3_000_000)
  const request = async (): Promise<Echo> => (await fetch(url, { method: 'POST', body })).json() as Promise<Echo>
  const responses = await Promise.all(Array.from({ length: 8 }, request))
  t.same(new Set(responses.map(({ by }) => by)), new Set(gateways.map(({ port }) => port)), 'both are used')
  t.match(responses[0], {
    bytes: body.length,
    url: '/push/message/send',
    headers: { host: `127.0.0.1:${port}`, 'x-forwarded-host': `127.0.0.1:${port}`, 'x-forwarded-for': '127.0.0.1' },
  })
  await gateways[0]?.stop()
  const later = await Promise.all(Array.from({ length: 8 }, request))
  t.same(
    new Set(later.map(({ by }) => by)),
    new Set([gateways[1]?.port]),
    'no request is lost with a gateway that is gone',
  )
})

interface Echo {
  by: number
  bytes: number
  url: string
  headers: Record<string, string>
}

/** Stands for a gateway, and responds with what it got. */
async function startEcho(t: Test) {
  const server = createServer((request, response) => {
    const { url, headers } = request
    let bytes = 0
    request
      .on('data', (chunk: Buffer) => (bytes += chunk.length))
      .on('end', () =>
        response.end(JSON.stringify({ by: (server.address() as AddressInfo).port, bytes, url, headers })),
      )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = async () => {
    if (!server.listening) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  t.teardown(stop)
  return { port: (server.address() as AddressInfo).port, stop }
}

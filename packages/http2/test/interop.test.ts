// Our transport and node:http2 side by side: the same requests to the same servers have to get the same responses, and the servers
// have to see the same requests. The servers are Node's own, with settings of all kinds, and nginx where it is installed.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { constants, createSecureServer, type ServerHttp2Stream, type SecureServerOptions } from 'node:http2'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openHttp2, type Http2Options, type Http2Request, type Http2Result } from '../src/index.ts'
import { chance, type Chance } from './chance.ts'
import { listen, localhost, portOf } from './origin.ts'

const TRANSPORTS = ['lean', 'node'] as const

async function sendAll(options: Partial<Http2Options> & { origin: string }, requests: readonly Http2Request[]) {
  const client = openHttp2({ ca: localhost.cert, connections: 2, ...options })
  const send = (request: Http2Request) => new Promise<Http2Result>((settle) => client.request(request, settle))
  const results = await Promise.all(requests.map(send))
  await client.close()
  return results
}

const TEXT = 'abcdefghijklmnopqrstuvwxyz0123456789-_ABCDEF'
const VALUES = `${TEXT} !"#$%&'()*+,./:;<=>?@[]^{|}~`

function randomRequests(dice: Chance, count: number): Http2Request[] {
  const sets = Array.from({ length: 12 }, () => ({
    authorization: `bearer ${dice.text(TEXT, 400)}`,
    'content-type': 'application/json',
    [`x-${dice.below(9)}`]: dice.text(VALUES, 60).trim(),
    ...(dice.oneIn(6) && { 'x-long': 'l'.repeat(dice.below(9_000)) }),
  }))
  return Array.from({ length: count }, (_, place) => ({
    path: dice.oneIn(3) ? '/always/the/same' : `/${place}/${dice.text(TEXT, 80)}?answer=${dice.below(70_000)}`,
    headers: sets[dice.below(sets.length)] ?? {},
    ...(dice.oneIn(2) && { extra: [['apns-id', dice.text(TEXT, 36)]] as const }),
    body: randomBody(dice),
  }))
}

function randomBody(dice: Chance): string | Buffer {
  if (dice.oneIn(20)) return dice.octets(1).fill(dice.below(256), 0, 1).toString('hex').repeat(dice.below(60_000))
  if (dice.oneIn(5)) return ''
  return dice.oneIn(2) ? dice.octets(dice.below(300)) : dice.text('äöü€{}":abc', 200)
}

/** Answers by what the request said, in all the ways that are allowed. */
function responseFor(stream: ServerHttp2Stream, headers: Record<string, unknown>, body: string) {
  const path = String(headers[':path'])
  const length = Number(/answer=(\d+)/.exec(path)?.[1] ?? 10) % 65_000
  const seen = Object.entries(headers).filter(([name]) => name !== ':authority')
  const isOdd = length % 2 === 1
  if (length % 5 === 0) stream.additionalHeaders({ ':status': 103, link: '</x>' })
  stream.respond(
    {
      ':status': [200, 400, 410, 429, 503][length % 5],
      'x-seen': digest(JSON.stringify(seen.toSorted())),
      'x-body': digest(body),
      'retry-after': String(length),
    },
    { waitForTrailers: isOdd },
  )
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-checksum': 'c'.repeat(length % 50) }))
  const text = 'ä{"reason":"x"}'.repeat(length / 16)
  if (length % 3 === 0) stream.write(text.slice(0, 5))
  stream.end(length % 3 === 0 ? text.slice(5) : text)
}

const digest = (text: string) => Buffer.from(text).reduce((sum, octet) => (sum * 31 + octet) % 1_000_000_007, 7)

async function startNode(test: Test, options: SecureServerOptions) {
  const server = createSecureServer({ ...localhost, ...options })
  server.on('session', (session) => test.teardown(() => session.destroy()))
  server.on('stream', (stream, headers) => {
    let body = ''
    stream.on('error', () => {})
    stream.setEncoding('latin1').on('data', (text) => (body += text))
    stream.on('end', () => responseFor(stream, headers, body))
  })
  const url = await listen(server)
  test.teardown(() => server.close())
  return url
}

t.test('Node’s server, whatever its settings', async (t) => {
  const settings: Record<string, SecureServerOptions> = {
    'as it is': {},
    'no table of headers': { settings: { headerTableSize: 0 } },
    'a small table': { settings: { headerTableSize: 200 } },
    'a large table': { settings: { headerTableSize: 65_536 } },
    'small windows': { settings: { initialWindowSize: 100 } },
    'one stream': { settings: { maxConcurrentStreams: 1 } },
    'large frames': { settings: { maxFrameSize: 1_000_000 } },
    'all padded': { paddingStrategy: constants.PADDING_STRATEGY_MAX },
    aligned: { paddingStrategy: 1 },
  }
  for (const [name, options] of Object.entries(settings)) {
    const origin = await startNode(t, { ...options, settings: { maxHeaderListSize: 65_535, ...options.settings } })
    const requests = randomRequests(chance(name.length), 100)
    const [lean, node] = await Promise.all(TRANSPORTS.map((transport) => sendAll({ origin, transport }, requests)))
    t.ok(
      lean?.every(({ kind }) => kind === 'response'),
      `${name}: all get their responses`,
    )
    t.same(lean?.map(comparable), node?.map(comparable), name)
  }
})

/** The date may differ, and a long body would fill the screen. */
function comparable(result: Http2Result) {
  if (result.kind !== 'response') return result
  const headers = Object.entries(result.headers).filter(([name]) => name !== 'date')
  return { ...result, headers, body: `${result.body.length} characters: ${digest(result.body)}` }
}

const hasNginx = spawnSync('nginx', ['-v']).status === 0

t.test('nginx', { skip: hasNginx ? false : 'nginx is not installed' }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'nginx-'))
  const probe = createServer()
  await listen(probe)
  const port = portOf(probe)
  await new Promise((closed) => probe.close(closed))
  writeFileSync(join(directory, 'cert.pem'), localhost.cert)
  writeFileSync(join(directory, 'key.pem'), localhost.key)
  writeFileSync(join(directory, 'nginx.conf'), configuration(directory, port))
  const nginx = spawn('nginx', ['-c', join(directory, 'nginx.conf'), '-e', join(directory, 'error.log')], {
    stdio: 'inherit',
  })
  t.teardown(async () => {
    nginx.kill('SIGQUIT')
    await once(nginx, 'exit')
    rmSync(directory, { recursive: true })
  })
  const origin = `https://localhost:${port}`
  const requests = randomRequests(chance(443), 700)
  // It says GOAWAY every hundred requests. The client dials until it is up.
  for (const transport of TRANSPORTS) {
    const results = await sendAll({ origin, transport, connections: 1, maxStreams: 20 }, requests)
    t.same(
      results.filter((result) => result.kind !== 'response' || result.status !== 200),
      [],
      transport,
    )
    t.ok(
      results.every(
        (result, place) =>
          result.kind === 'response' && result.body.endsWith(requests[place]?.path.split('?')[0] ?? ''),
      ),
    )
  }
})

const configuration = (directory: string, port: number) => `
daemon off;
master_process off;
pid ${directory}/nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path ${directory};
  proxy_temp_path ${directory};
  fastcgi_temp_path ${directory};
  uwsgi_temp_path ${directory};
  scgi_temp_path ${directory};
  large_client_header_buffers 4 32k;
  server {
    listen 127.0.0.1:${port} ssl http2;
    keepalive_requests 100;
    ssl_certificate ${directory}/cert.pem;
    ssl_certificate_key ${directory}/key.pem;
    location / { return 200 "you requested $uri"; }
  }
}`

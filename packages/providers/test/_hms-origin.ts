// A scripted HMS on loopback, its OAuth endpoint with it: a test says how each request is responded to.
import { EventEmitter, once } from 'node:events'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { generate } from 'selfsigned'

const pems = await generate([{ name: 'commonName', value: 'localhost' }], {
  keyType: 'ec',
  extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
})

/** The certificate of every origin, to be trusted by clients. */
export const ca: string = pems.cert

export interface Received {
  response: ServerResponse
  path: string
  headers: IncomingHttpHeaders
  body: string
  /** The access token it came with. */
  access: string
  /** Tokens of the devices. */
  tokens: string[]
  /** Title of the notification. */
  title: string | undefined
}

export interface Origin {
  url: string
  tokenUrl: string
  port: number
  received: Received[]
  /** Requests for an access token. */
  bodies: Record<string, string>[]
  /** Requests without a response so far. */
  open: number
  /** Most of them at one time. */
  peak: number
  /** Resolves once so many pushes have come. */
  waitFor(count: number): Promise<void>
  stop(): Promise<void>
}

export interface Script {
  onPush(request: Received): void
  /** By default grants `access-1`, `access-2`, … for an hour. */
  onToken?(response: ServerResponse, parameters: Record<string, string>): void
}

export async function startOrigin({ onPush, onToken }: Script): Promise<Origin> {
  const arrivals = new EventEmitter()
  const server = createServer({ key: pems.private, cert: pems.cert })
  const origin = { received: [] as Received[], bodies: [] as Record<string, string>[], open: 0, peak: 0 }

  function grant(response: ServerResponse) {
    reply({ response }, 200, { access_token: `access-${origin.bodies.length}`, expires_in: 3600, token_type: 'Bearer' })
  }

  server.on('request', (request, response) => {
    let body = ''
    request.on('error', () => {})
    request.setEncoding('utf8').on('data', (text) => (body += text))
    request.on('end', () => {
      const { url: path = '', headers } = request
      if (path.startsWith('/oauth2/')) {
        const parameters = Object.fromEntries(new URLSearchParams(body))
        origin.bodies.push(parameters)
        return (onToken ?? grant)(response, parameters)
      }
      origin.peak = Math.max(origin.peak, ++origin.open)
      response.on('close', () => origin.open--)
      const { token: tokens, android } = JSON.parse(body).message
      const access = String(headers.authorization).replace('Bearer ', '')
      const received = { response, path, headers, body, access, tokens, title: android.notification?.title }
      origin.received.push(received)
      onPush(received)
      arrivals.emit('push')
    })
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = `https://localhost:${port}`
  return Object.assign(origin, {
    url,
    tokenUrl: `${url}/oauth2/v3/token`,
    port,
    async waitFor(count: number) {
      while (origin.received.length < count) await once(arrivals, 'push')
    },
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  })
}

/** Without a body: a success, as HMS words it. */
export function reply(
  { response }: Pick<Received, 'response'>,
  status = 200,
  body: string | object = { code: '80000000', msg: 'Success', requestId: 'r' },
  headers: Record<string, string> = {},
) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

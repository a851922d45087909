// A scripted FCM and a scripted token endpoint of Google's on loopback.
import { once } from 'node:events'
import type { Settings } from 'node:http2'
import { createServer, type Server } from 'node:https'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ca, key, startOrigin, type Received } from './_origin.ts'

export { ca, type Origin, type Received } from './_origin.ts'

export const startFcm = (onRequest: (request: Received) => void, settings?: Settings) =>
  startOrigin({
    onRequest,
    tokenOf: ({ body }) => JSON.parse(body).message.token,
    ...(settings && { settings }),
  })

/** The access token a push came with. */
export const bearer = ({ headers }: Received) => String(headers['authorization']).replace('Bearer ', '')

export function accept({ stream, token }: Received) {
  if (stream.destroyed || stream.headersSent) return
  stream.respond({ ':status': 200, 'content-type': 'application/json; charset=UTF-8' })
  stream.end(JSON.stringify({ name: `projects/my-project/messages/${token}` }))
}

export interface ReceivedRequest {
  method: string | undefined
  path: string | undefined
  headers: IncomingHttpHeaders
  body: string
  response: ServerResponse
}

export interface TextOrigin {
  url: string
  received: ReceivedRequest[]
  stop(): Promise<void>
}

/** A scripted server of HTTP/1.1 over TLS. */
export async function startHttps(onRequest: (received: ReceivedRequest) => void): Promise<TextOrigin> {
  const received: ReceivedRequest[] = []
  const server = createServer({ key, cert: ca }, (request, response) => void take(request, response))

  async function take(request: IncomingMessage, response: ServerResponse) {
    const { method, url: path, headers } = request
    const one = { method, path, headers, body: await textOf(request), response }
    received.push(one)
    onRequest(one)
  }

  server.listen(0, 'localhost')
  await once(server, 'listening')
  return { url: `https://localhost:${(server.address() as AddressInfo).port}`, received, stop: () => stop(server) }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const part of request.setEncoding('utf8')) text += part
  return text
}

async function stop(server: Server) {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
}

/** Answers as Google's token endpoint does. */
export function grant({ response }: Pick<ReceivedRequest, 'response'>, accessToken: string, seconds = 3_599) {
  const reply = { access_token: accessToken, expires_in: seconds, token_type: 'Bearer' }
  response.setHeader('content-type', 'application/json').end(JSON.stringify(reply))
}

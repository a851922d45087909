// What Node's server would do by itself, in ways of its own: broken requests, expectations, CONNECT, and requests that come
// while the server stops. Here each of them gets a response like any other request.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { ApiError, unavailable } from '@push-server/contract'
import type { ClientErrors, Config } from '@push-server/runtime'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { expectationError, headError, MOST_HEADERS } from '../validation/request-head.ts'

const RETRY_AFTER_S = 1
/** After STOP_TIMEOUT: for the responses that were sent then to arrive. */
const LAST_RESPONSES_MS = 1000

/** What a request gets that comes, or is still on its way, while the gateway stops. */
export const stopping = () => unavailable('This gateway is stopping', RETRY_AFTER_S)

export interface HttpServerOptions {
  clientErrors: ClientErrors
  config: Pick<Config, 'stopTimeout'>
}

/** Options of node:http; the plugin does what they leave out. */
export const HTTP_OPTIONS = { requireHostHeader: false } as const

export const httpServer = fp(
  async (app: FastifyInstance, { clientErrors, config }: HttpServerOptions) => {
    const { server } = app
    // One more than is taken, so that the last one shows that there are too many.
    server.maxHeadersCount = MOST_HEADERS + 1
    const unmet = new WeakSet<IncomingMessage>()
    const waiting = new WeakSet<IncomingMessage>()
    const serveWith = (known: WeakSet<IncomingMessage>) => (request: IncomingMessage, response: ServerResponse) => {
      known.add(request)
      server.emit('request', request, response)
    }
    // At once: bytes that break a request may stand behind its head in one packet.
    server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) =>
      clientErrors.track(response),
    )
    server.on('checkExpectation', serveWith(unmet))
    server.on('checkContinue', serveWith(waiting))
    server.on('connect', (_request: IncomingMessage, socket: Socket) => {
      // Node lets go of a connection that is to become a tunnel: its errors are ours now.
      socket.on('error', () => socket.destroy())
      clientErrors.end(socket, new ApiError('ERROR_METHOD_NOT_ALLOWED', 'This server is no proxy'))
    })

    let isStopping = false
    app.addHook('preClose', async () => {
      isStopping = true
      const timer = setTimeout(() => server.closeAllConnections(), config.stopTimeout + LAST_RESPONSES_MS)
      server.once('close', () => clearTimeout(timer))
    })
    // A connection that stays open for the next request would be waited for as long as it may be idle.
    app.addHook('onSend', (_request, reply, _payload, done) => {
      if (isStopping) reply.header('connection', 'close')
      done()
    })
    app.addHook('onRequest', ({ raw }, reply, done) => {
      if (isStopping) throw stopping()
      const error = headError(raw)
      if (error) {
        reply.header('connection', 'close')
        throw error
      }
      if (unmet.has(raw)) throw expectationError()
      done()
    })
    // The body is requested only now, when all other checks have passed.
    app.addHook('preParsing', ({ raw }, reply, _payload, done) => {
      if (waiting.has(raw)) reply.raw.writeContinue()
      done()
    })
  },
  { name: 'http-server' },
)

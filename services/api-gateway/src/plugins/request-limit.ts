// How many requests are under way in this process, and when each arrived. Beyond REQUEST_LIMIT they are refused with 503 before
// anything is read or stored. Probes are exempt: a gateway that is busy is alive.
import type { Socket } from 'node:net'
import { unavailable } from '@push-server/contract'
import type { Config, Metrics } from '@push-server/runtime'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/** A place among the requests under way. */
interface RequestSlot {
  /** Its handler has begun, and ends whether or not the client is still there. */
  isHandled: boolean
  isFree: boolean
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Served however many requests are under way. */
    exempt?: boolean
  }
  interface FastifyRequest {
    /** When its headers had been read, on the clock of `performance`, ms. */
    arrivedAt: number
    slot: RequestSlot | null
  }
}

const RETRY_AFTER_S = 2

export interface RequestLimitOptions {
  config: Pick<Config, 'requestLimit' | 'connectionLimit'>
  metrics: Pick<Metrics, 'refusal' | 'underWay'>
}

export const requestLimit = fp(
  async (app: FastifyInstance, { config, metrics }: RequestLimitOptions) => {
    const { requestLimit: limit, connectionLimit } = config
    const connections = watchConnections(app, connectionLimit)
    let underWay = 0
    metrics.underWay(() => ({ requests: underWay, connections: connections.count() }))

    function free(slot: RequestSlot | null): void {
      if (!slot || slot.isFree) return
      slot.isFree = true
      underWay -= 1
    }

    app.decorateRequest('arrivedAt', 0)
    app.decorateRequest('slot', null)
    app.addHook('onRequest', (request, reply, done) => {
      request.arrivedAt = performance.now()
      // Given back sooner than it would fall idle: others wait for it.
      if (connections.areTooMany()) reply.header('connection', 'close')
      if (request.routeOptions.config.exempt) return done()
      if (connections.isSurplus(request.raw.socket)) {
        metrics.refusal('connections')
        throw unavailable(
          `More connections than CONNECTION_LIMIT (${connectionLimit}) are open; nothing was stored`,
          RETRY_AFTER_S,
        )
      }
      if (underWay >= limit) {
        metrics.refusal('requests')
        throw unavailable(
          `As many requests as REQUEST_LIMIT (${limit}) allows are under way; nothing was stored`,
          RETRY_AFTER_S,
        )
      }
      underWay += 1
      const slot = (request.slot = { isHandled: false, isFree: false })
      reply.raw.once('close', () => {
        if (!slot.isHandled) free(slot)
      })
      done()
    })
    app.addHook('preHandler', ({ slot }, _reply, done) => {
      if (slot) slot.isHandled = true
      done()
    })
    app.addHook('onSend', ({ slot }, _reply, _payload, done) => {
      free(slot)
      done()
    })
  },
  { name: 'request-limit' },
)

/**
 * Open sockets. To refuse one would reset it without a response: those beyond the limit get a response to one request
 * each, and idle ones are closed for them.
 */
function watchConnections({ server }: FastifyInstance, limit: number) {
  const surplus = new WeakSet<Socket>()
  let open = 0
  server.on('connection', (socket: Socket) => {
    open += 1
    if (open > limit) {
      surplus.add(socket)
      server.closeIdleConnections()
    }
    socket.once('close', () => (open -= 1))
  })
  return {
    count: () => open,
    areTooMany: () => open > limit,
    /** Of a connection that came beyond the limit, as long as it is passed. */
    isSurplus: (socket: Socket) => open > limit && surplus.has(socket),
  }
}

// The stream of arrivals for the page: server-sent events, https://html.spec.whatwg.org/multipage/server-sent-events.html
import type { ServerResponse } from 'node:http'
import type { FastifyPluginAsync } from 'fastify'
import type { Context } from '../context.ts'
import type { PushLogEvent } from '../push-log.ts'

/** The counts change with each request; they are sent at most this often. */
const STATS_EVERY_MS = 250
/** A reader that is slower than the pushes is cut off, and begins anew with the state of then. */
const BYTES_WAITING_MOST = 16 * 1024 * 1024

export const eventRoutes =
  ({ pushLog }: Context): FastifyPluginAsync =>
  async (app) => {
    const readers = new Set<ServerResponse>()
    let timer: NodeJS.Timeout | undefined

    const broadcast = (event: string, data: unknown) => {
      const text = format(event, data)
      for (const reader of readers) {
        if (reader.writableLength > BYTES_WAITING_MOST) reader.destroy()
        else reader.write(text)
      }
    }
    const notifyStatsSoon = () => {
      timer ??= setTimeout(() => {
        timer = undefined
        broadcast('stats', pushLog.stats())
      }, STATS_EVERY_MS)
    }
    const stopListening = pushLog.listen((event) => {
      if (readers.size === 0) return
      if (event.type === 'counted') notifyStatsSoon()
      else broadcast(event.type, describe(event))
    })
    app.addHook('onClose', async () => {
      stopListening()
      clearTimeout(timer)
    })

    // The whole state comes first, so nothing is lost between reading it and listening.
    app.get('/events', (_request, reply) => {
      reply.hijack()
      const reader = reply.raw
      reader.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
      reader.write(format('phones', pushLog.phones()) + format('stats', pushLog.stats()))
      readers.add(reader)
      reader.on('close', () => readers.delete(reader))
    })
  }

function describe(event: Exclude<PushLogEvent, { type: 'counted' }>) {
  if (event.type === 'phone') return event.phone
  const { platform, token, name } = event.phone
  return { platform, token, name, notification: event.notification }
}

const format = (event: string, data: unknown) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`

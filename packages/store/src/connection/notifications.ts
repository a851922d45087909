// LISTEN on a connection of its own, made anew when it breaks. PostgreSQL keeps nothing for a listener that is away.
import pg from 'pg'
import { connectionOptions } from './database.ts'
import { DEFAULT_TIMEOUT_MS, limitsOf } from './time-limits.ts'

export interface Listener {
  close(): Promise<void>
}

export interface ListenOptions {
  /** Leads past any pooler: a notification comes to the connection that listens. */
  url: string
  channel: string
  onNotification(payload: string): void
  /** Notifications may have been missed: read the rows again. */
  onReconnect(): void
  onError(error: Error): void
}

const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 5000
/** A busy machine may take its time over a start. */
const CONNECT_TIMEOUT_MS = 10_000

/** Resolves once it listens; rejects when the first connection fails. */
export async function listen(options: ListenOptions): Promise<Listener> {
  let closed = false
  let delay = FIRST_DELAY_MS
  let timer: NodeJS.Timeout | undefined
  let client = await connect()

  async function connect(): Promise<pg.Client> {
    const next = new pg.Client({
      ...connectionOptions(options.url, 'push-server listener', limitsOf(DEFAULT_TIMEOUT_MS)),
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    })
    // Errors after this point end the connection; 'end' then brings the next one.
    next.on('error', options.onError)
    next.on('notification', ({ payload }) => options.onNotification(payload ?? ''))
    try {
      await next.connect()
      await next.query(`LISTEN ${pg.escapeIdentifier(options.channel)}`)
    } catch (error) {
      await next.end().catch(options.onError)
      throw error
    }
    next.once('end', reconnectSoon)
    return next
  }

  function reconnectSoon() {
    if (closed) return
    timer = setTimeout(() => void reconnect(), delay)
    delay = Math.min(delay * 2, LONGEST_DELAY_MS)
  }

  async function reconnect() {
    try {
      client = await connect()
      if (closed) return await client.end()
      delay = FIRST_DELAY_MS
      options.onReconnect()
    } catch (error) {
      options.onError(error as Error)
      reconnectSoon()
    }
  }

  return {
    async close() {
      closed = true
      clearTimeout(timer)
      await client.end()
    },
  }
}

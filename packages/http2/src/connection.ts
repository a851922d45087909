// One connection from dialling to its end: the exchanges on it, their deadlines, and whether the peer still lives. Times are on the
// monotonic clock (performance.now).
import type { Http2Result } from './client.ts'
import { dial, type Target } from './dial.ts'
import { InFlight } from './in-flight.ts'
import {
  reasonOf,
  unknown,
  unsent,
  type Ending,
  type Exchange,
  type OpenSession,
  type Session,
  type SessionEvents,
} from './session.ts'

export interface ConnectionOptions {
  target: Target
  openSession: OpenSession
  maxStreams: number
  requestTimeoutMs: number
  connectTimeoutMs: number
  pingIntervalMs: number
  pingTimeoutMs: number
}

/** Events of a connection for its pool. */
export interface ConnectionEvents {
  opened(): void
  /** A stream may have become free. */
  freed(): void
  /** The origin has changed how many streams it allows. */
  limited(): void
  ended(exchange: Exchange, result: Http2Result, connection: Connection): void
  /** It takes no further requests: it never opened, is being drained, or is closed. Once. */
  retired(connection: Connection, reason: string): void
  /** It is closed and every exchange on it has ended. Once, after `retired`. */
  closed(connection: Connection): void
}

export class Connection implements SessionEvents {
  state: 'connecting' | 'open' | 'draining' | 'closed' = 'connecting'
  /** Whether a response has ever arrived on it. */
  responded = false
  readonly #options: ConnectionOptions
  readonly #events: ConnectionEvents
  readonly #inFlight = new InFlight()
  readonly #dialling = new AbortController()
  readonly #openBy: number
  #session: Session | undefined
  #pingAt = Infinity
  #pongBy = Infinity

  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    this.#options = options
    this.#events = events
    this.#openBy = performance.now() + options.connectTimeoutMs
    void this.#connect()
  }

  /** Streams that may be open at once. */
  get streams() {
    return this.state === 'open' && this.#session ? Math.min(this.#session.streams, this.#options.maxStreams) : 0
  }

  /** Streams that may be opened now; negative after the peer has lowered its limit. */
  get free() {
    if (!this.#session || this.#session.isFull) return 0
    return this.streams - this.#session.inFlight
  }

  get busy() {
    return this.#inFlight.size > 0
  }

  /** Only while `free` is above 0. */
  open(exchange: Exchange, now: number) {
    if (!this.#session) throw new Error('a request on a connection that is not open')
    exchange.attempts++
    exchange.deadline = now + this.#timeoutOf(exchange)
    this.#inFlight.add(exchange)
    exchange.stream = this.#session.open(exchange)
  }

  /** To be called often: only here deadlines are checked. */
  sweep(now: number) {
    if (this.state === 'connecting') {
      if (now >= this.#openBy) this.destroy(`no connection within ${this.#options.connectTimeoutMs} ms`)
      return
    }
    const late = this.#inFlight.late(now)
    for (const exchange of late) this.#timeOut(exchange)
    // A silent peer may be dead: send a PING at once instead of at the next interval.
    if (late.length > 0) this.#pingAt = now
    this.#checkPeer(now)
    this.#destroyWhenDrained()
  }

  /** Exchanges in flight end at once, without waiting for the socket. */
  destroy(reason: string) {
    if (this.state === 'closed') return
    this.#dialling.abort()
    this.#session?.destroy(reason)
    this.closed(reason)
  }

  settings() {
    if (this.state !== 'connecting') return this.#events.limited()
    this.state = 'open'
    this.#pingAt = performance.now() + this.#options.pingIntervalMs
    this.#events.opened()
  }

  ended(exchange: Exchange, ending: Ending) {
    if (!this.#inFlight.delete(exchange)) return
    if (ending.kind === 'response') this.responded = true
    this.#events.ended(exchange, ending, this)
  }

  freed() {
    this.#destroyWhenDrained()
    this.#events.freed()
  }

  retired(reason: string) {
    if (this.state === 'draining' || this.state === 'closed') return
    this.state = 'draining'
    this.#events.retired(this, reason)
  }

  ponged() {
    this.#pongBy = Infinity
    this.#pingAt = performance.now() + this.#options.pingIntervalMs
  }

  closed(reason: string) {
    if (this.state === 'closed') return
    this.retired(reason)
    this.state = 'closed'
    for (const exchange of this.#inFlight.all()) {
      this.ended(exchange, exchange.stream?.isWritten === false ? unsent(reason) : unknown(reason))
    }
    this.#events.closed(this)
  }

  async #connect() {
    const { target, openSession } = this.#options
    try {
      const socket = await dial(target, this.#dialling.signal)
      if (this.state === 'closed') socket.destroy()
      else this.#session = openSession(socket, target.origin, this)
    } catch (error) {
      this.closed(reasonOf(error))
    }
  }

  #timeOut(exchange: Exchange) {
    this.#inFlight.delete(exchange)
    exchange.stream?.cancel()
    const reason = `no response within ${this.#timeoutOf(exchange)} ms`
    this.#events.ended(exchange, { kind: 'timeout', reason }, this)
  }

  #timeoutOf({ request }: Exchange) {
    return request.timeoutMs ?? this.#options.requestTimeoutMs
  }

  #checkPeer(now: number) {
    if (now >= this.#pongBy) return this.destroy(`no response to PING within ${this.#options.pingTimeoutMs} ms`)
    if (now < this.#pingAt || this.#pongBy < Infinity) return
    this.#pongBy = now + this.#options.pingTimeoutMs
    this.#session?.ping()
  }

  #destroyWhenDrained() {
    if (this.state === 'draining' && !this.busy) this.destroy('drained')
  }
}

// The client over any transport: it queues requests, assigns them to connections, and decides when to dial. One timer keeps all times.
import { backOffMs } from './back-off.ts'
import type { Http2Client, Http2Log, Http2Request, Http2Result, Settle } from './client.ts'
import { Connection, type ConnectionEvents, type ConnectionOptions } from './connection.ts'
import { unsent, type Exchange } from './session.ts'
import { DeadlineTimer } from './deadline-timer.ts'
import { RequestQueue } from './request-queue.ts'

/** How often a request that was refused unprocessed is sent again before it ends as unsent. */
const MAX_RESENDS = 3

export interface PoolOptions extends ConnectionOptions {
  maxConnections: number
  queueTimeoutMs: number
  log: Http2Log | undefined
}

export class Pool implements Http2Client, ConnectionEvents {
  readonly #options: PoolOptions
  readonly #waiting = new RequestQueue()
  readonly #connections = new Set<Connection>()
  readonly #deadlineTimer = new DeadlineTimer(() => this.#sweep())
  /** Requests not settled. */
  #pending = 0
  /** Number of connections in a row that never got a response. */
  #failures = 0
  #dialAt = 0
  /** Why the latest connection ended, until another one opens. */
  #obstacle: string | undefined
  #sending = false
  /** The connection that ended an exchange last. */
  #latest: Connection | undefined
  #closing: PromiseWithResolvers<void> | undefined
  /** Undefined when it has to be counted anew. Cached, since it is read before each push. */
  #capacity: number | undefined

  constructor(options: PoolOptions) {
    this.#options = options
  }

  get capacity() {
    return (this.#capacity ??= this.#countCapacity())
  }

  request(request: Http2Request, settle: Settle) {
    const now = performance.now()
    const deadline = now + this.#options.queueTimeoutMs
    // All members are set from the start: a later one would change the shape of the object.
    const exchange: Exchange = { request, settle, deadline, attempts: 0, stream: undefined, place: -1 }
    this.#pending++
    this.#keepTime()
    if (this.#closing) return process.nextTick(() => this.#settle(exchange, unsent('the client is closed')))
    if (request.signal?.aborted) return process.nextTick(() => this.#settle(exchange, unsent('aborted')))
    const connection = this.#waiting.size > 0 || this.#sending ? undefined : this.#pick()
    if (connection) return connection.open(exchange, now)
    this.#waiting.push(exchange)
    this.#send()
  }

  renew(reason: string) {
    for (const connection of this.#connections) if (connection.state === 'open') connection.retired(reason)
  }

  close(): Promise<void> {
    if (this.#closing) return this.#closing.promise
    this.#closing = Promise.withResolvers()
    for (const exchange of this.#waiting.takeAll(() => true)) this.#settle(exchange, unsent('the client is closed'))
    for (const connection of this.#connections) {
      if (connection.state === 'connecting') connection.destroy('the client is closed')
      else connection.retired('the client is closed')
    }
    this.#sweep()
    return this.#closing.promise
  }

  opened() {
    this.#capacity = undefined
    this.#obstacle = undefined
    this.#options.log?.debug({ origin: this.#origin }, 'connection opened')
    this.#send()
  }

  freed() {
    this.#send()
  }

  limited() {
    this.#capacity = undefined
    this.#send()
  }

  ended(exchange: Exchange, result: Http2Result, connection: Connection) {
    this.#latest = connection
    if (result.kind === 'response') this.#failures = 0
    if (result.kind !== 'unsent' || exchange.attempts > MAX_RESENDS || this.#closing)
      return this.#settle(exchange, result)
    exchange.deadline = performance.now() + this.#options.queueTimeoutMs
    this.#waiting.putBack(exchange)
    this.#send()
  }

  /** A connection that got responses is replaced at once, any other after a back-off, so that no storm of dialling begins. */
  retired(connection: Connection, reason: string) {
    this.#capacity = undefined
    if (this.#closing) return
    this.#failures = connection.responded ? 0 : this.#failures + 1
    const pause = backOffMs(this.#failures, Math.random())
    this.#dialAt = performance.now() + pause
    this.#obstacle = reason
    const level = connection.responded ? 'info' : 'warn'
    this.#options.log?.[level]({ origin: this.#origin, reason, pauseMs: Math.round(pause) }, 'connection retired')
    if (connection.busy || this.#waiting.size > 0) this.#dial()
  }

  closed(connection: Connection) {
    this.#connections.delete(connection)
    this.#send()
    this.#rest()
  }

  #countCapacity() {
    const { maxConnections, maxStreams } = this.#options
    let streams = maxConnections * maxStreams
    for (const connection of this.#connections) {
      if (connection.state === 'open') streams += connection.streams - maxStreams
    }
    return Math.max(1, streams)
  }

  get #origin() {
    return this.#options.target.origin.origin
  }

  /** Puts waiting requests on free streams. A request that settles meanwhile may call this again. */
  #send() {
    if (this.#sending || this.#waiting.size === 0) return
    this.#sending = true
    try {
      this.#fillStreams(performance.now())
    } finally {
      this.#sending = false
    }
    if (this.#waiting.size > 0) this.#dial()
  }

  #fillStreams(now: number) {
    while (this.#waiting.size > 0) {
      const connection = this.#pick()
      const exchange = connection && this.#waiting.take()
      if (!exchange) return
      // Here, not only in the sweep: a stream must not go to a request that is over.
      if (this.#isOver(exchange, now)) this.#settle(exchange, this.#lapsed(exchange))
      else connection.open(exchange, now)
    }
  }

  /** The connection of the last response, if it has a free stream: that needs no search. Otherwise the one with the most. */
  #pick(): Connection | undefined {
    let best = this.#latest
    this.#latest = undefined
    if (best && best.free > 0) return best
    best = undefined
    for (const connection of this.#connections) {
      if (connection.free > (best?.free ?? 0)) best = connection
    }
    return best
  }

  /** Dials one connection at a time, so that an origin in trouble does not get all of them at once. */
  #dial() {
    let usable = 0
    for (const { state } of this.#connections) {
      if (state === 'connecting') return
      if (state === 'open') usable++
    }
    if (this.#closing || usable >= this.#options.maxConnections || performance.now() < this.#dialAt) return
    this.#connections.add(new Connection(this.#options, this))
    this.#keepTime()
  }

  #sweep() {
    const now = performance.now()
    if (this.#waiting.size > 0) {
      for (const exchange of this.#waiting.takeAll((it) => this.#isOver(it, now))) {
        this.#settle(exchange, this.#lapsed(exchange))
      }
    }
    for (const connection of this.#connections) connection.sweep(now)
    this.#send()
    this.#rest()
  }

  #isOver({ deadline, request }: Exchange, now: number) {
    return deadline <= now || request.signal?.aborted === true
  }

  #lapsed({ request }: Exchange) {
    const open = [...this.#connections].some(({ state }) => state === 'open')
    if (!open && this.#obstacle !== undefined) return unsent(this.#obstacle)
    return unsent(request.signal?.aborted ? 'aborted' : `no stream was free within ${this.#options.queueTimeoutMs} ms`)
  }

  #settle(exchange: Exchange, result: Http2Result) {
    this.#pending--
    this.#rest()
    // So that no dead object holds a later one: V8 would keep them all until it collects the old generation.
    exchange.stream = undefined
    exchange.settle(result)
  }

  /** Requests keep the process alive, by way of the timer; connections do not. */
  #keepTime() {
    this.#deadlineTimer.start()
    if (this.#pending > 0) this.#deadlineTimer.ref()
  }

  #rest() {
    if (this.#pending > 0) return
    if (!this.#closing) this.#deadlineTimer.unref()
    if (this.#connections.size > 0) return
    this.#deadlineTimer.stop()
    this.#closing?.resolve()
  }
}

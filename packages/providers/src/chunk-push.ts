// Sends the pushes of a chunk to any provider, as many at once as the limiter allows. A push whose provider token was refused is
// repeated once with another token.
import type { Http2Result, Settle } from '@push-server/http2'
import { isChunkAborted } from './chunk-abort.ts'
import type { Limiter } from './concurrency/limiter.ts'
import type { Outcome, ProviderToken, PushChunk, PushMessage, PushOptions, PushTarget } from './provider.ts'
import type { TokenSource } from './token-source.ts'
import { transportOutcome } from './transport-outcome.ts'

export type Http2Response = Extract<Http2Result, { kind: 'response' }>

/** The push of one delivery. */
export interface InFlightPush<Prepared> {
  readonly index: number
  readonly target: PushTarget
  readonly prepared: Prepared
  /** The token that it was last sent with. */
  token: ProviderToken
  /** When it was last sent, on the clock of `performance`. */
  sentAt: number
  /** The limiter's number of the round trip. */
  roundTrip: number
  isResent: boolean
  /** It was sent once more for its connection's sake. */
  isReconnected: boolean
  /** Tells the limiter that the push has ended. */
  readonly done: () => void
}

/** A response about the provider token, not about the push. */
export interface TokenRefusal {
  kind: 'token-refused'
  reason: string
}

/** A response about the connection: on another one, which the next request opens, the push may succeed. */
export interface ConnectionRefusal {
  kind: 'connection-refused'
  reason: string
}

/** What a response means. */
export interface Interpretation {
  outcome: Outcome | TokenRefusal | ConnectionRefusal
  /** The provider requires fewer pushes at once of the whole application. */
  isThrottled: boolean
}

/** The result of replacing a refused token. */
export type Renewal = { token: ProviderToken } | { error: unknown }

/** Sends one application's pushes to their provider. `Prepared` has what all deliveries of a message share. */
export interface Sender<Prepared> {
  limiter: Limiter
  tokens: TokenSource
  prepare(message: PushMessage): Prepared
  /** Starts the request with `inFlight.token`; or returns the outcome at once, and `ended` is not called. */
  send(inFlight: InFlightPush<Prepared>, signal: AbortSignal, ended: Settle): Outcome | undefined
  responded(response: Http2Response, inFlight: InFlightPush<Prepared>): Interpretation
  /** The outcome of a push whose token was refused and that is not repeated. */
  refused(inFlight: InFlightPush<Prepared>, refusal: TokenRefusal, renewal: Renewal): Outcome
}

/** Rejects with nothing pushed when there is no provider token. */
export async function sendChunk<Prepared>(
  sender: Sender<Prepared>,
  chunk: PushChunk,
  options: PushOptions,
): Promise<void> {
  const { signal } = options
  if (signal.aborted) return
  const push = new ChunkPush(sender, options, await sender.tokens.take())
  const preparedAll = prepareAll(sender, chunk)
  await sender.limiter.startAll({
    items: chunk.targets,
    signal,
    // Made when it starts: objects that live as long as the chunk are copied by the garbage collector again and again.
    start(target, done, index) {
      const prepared = preparedAll[target.message] as Prepared // checked by prepareAll
      push.start({ index, target, prepared, token: push.token, sentAt: 0, roundTrip: 0, ...UNSENT, done })
    },
  })
}

const UNSENT = { isResent: false, isReconnected: false }

function prepareAll<Prepared>(sender: Sender<Prepared>, { messages, targets }: PushChunk): Prepared[] {
  for (const [index, { message }] of targets.entries())
    if (!(message in messages)) throw new RangeError(`target ${index} names message ${message} of ${messages.length}`)
  return messages.map((message) => sender.prepare(message))
}

class ChunkPush<Prepared> {
  /** The token of the next push. */
  token: ProviderToken
  readonly #sender: Sender<Prepared>
  readonly #options: PushOptions

  constructor(sender: Sender<Prepared>, options: PushOptions, token: ProviderToken) {
    this.#sender = sender
    this.#options = options
    this.token = token
  }

  start(inFlight: InFlightPush<Prepared>) {
    const { limiter } = this.#sender
    const held = limiter.held()
    if (held) return this.#settle(inFlight, held)
    inFlight.token = this.token
    inFlight.sentAt = performance.now()
    inFlight.roundTrip = limiter.start()
    const { signal } = this.#options
    const outcome = this.#sender.send(inFlight, signal, (result) => this.#ended(inFlight, result))
    if (outcome) this.#settle(inFlight, outcome)
  }

  #ended(inFlight: InFlightPush<Prepared>, result: Http2Result) {
    const latencyMs = performance.now() - inFlight.sentAt
    if (result.kind === 'response') return this.#responded(inFlight, result, latencyMs)
    if (result.kind === 'timeout') this.#sender.limiter.timedOut(inFlight.roundTrip, latencyMs)
    // Withdrawn while it waited for a stream: not pushed, so not settled.
    if (result.kind === 'unsent' && isChunkAborted(this.#options.signal)) return inFlight.done()
    this.#options.withoutResponse?.(result.reason)
    this.#settle(inFlight, transportOutcome(result))
  }

  #responded(inFlight: InFlightPush<Prepared>, response: Http2Response, latencyMs: number) {
    this.#options.responded?.(latencyMs / 1000)
    const { outcome, isThrottled } = this.#sender.responded(response, inFlight)
    if (outcome.kind === 'token-refused') return void this.#renewToken(inFlight, outcome)
    if (outcome.kind === 'connection-refused') return this.#reconnect(inFlight, outcome)
    if (isThrottled) this.#sender.limiter.refused(inFlight.roundTrip, outcome)
    else if (response.status < 500) this.#sender.limiter.passed(inFlight.roundTrip, latencyMs)
    this.#settle(inFlight, outcome)
  }

  #settle(inFlight: InFlightPush<Prepared>, outcome: Outcome) {
    this.#options.settle(inFlight.index, outcome)
    inFlight.done()
  }

  /** Called once for a push at most: of one that was reconnected the sender does not say so again. */
  #reconnect(inFlight: InFlightPush<Prepared>, { reason }: ConnectionRefusal) {
    if (this.#options.signal.aborted) return this.#settle(inFlight, { kind: 'retry', reason })
    inFlight.isReconnected = true
    this.start(inFlight)
  }

  async #renewToken(inFlight: InFlightPush<Prepared>, refusal: TokenRefusal) {
    const renewal = await this.#renewal(inFlight.token)
    const isOther = 'token' in renewal && renewal.token.value !== inFlight.token.value
    if (isOther) this.token = renewal.token
    if (isOther && !inFlight.isResent && !this.#options.signal.aborted) {
      inFlight.isResent = true
      return this.start(inFlight)
    }
    this.#settle(inFlight, this.#sender.refused(inFlight, refusal, renewal))
  }

  async #renewal(refused: ProviderToken): Promise<Renewal> {
    try {
      return { token: await this.#sender.tokens.renew(refused) }
    } catch (error) {
      return { error }
    }
  }
}

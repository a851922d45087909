// One chunk on its way, whatever the provider: as many pushes at once as the flow allows, and one repetition for a push
// whose provider token was refused and could be replaced.
import type { Http2Result, Settle } from '@push-server/http2'
import { isCalledOff } from './call-off.ts'
import type { Limiter } from './concurrency/limiter.ts'
import type { Outcome, ProviderToken, PushChunk, PushMessage, PushOptions, PushTarget } from './provider.ts'
import type { TokenSource } from './token-source.ts'
import { transportOutcome } from './transport-outcome.ts'

export type Http2Response = Extract<Http2Result, { kind: 'response' }>

/** One delivery's push. */
export interface InFlightPush<Post> {
  readonly index: number
  readonly target: PushTarget
  readonly post: Post
  /** What it was last sent with. */
  token: ProviderToken
  /** When, on the clock of `performance`. */
  sentAt: number
  /** Of the flow. */
  roundTrip: number
  isResent: boolean
  /** Tells the flow that it is over. */
  readonly done: () => void
}

/** An answer that speaks of the provider token and not of the push. */
export interface TokenRefused {
  kind: 'token-refused'
  reason: string
}

/** What an answer means. */
export interface Interpretation {
  outcome: Outcome | TokenRefused
  /** The provider wants fewer pushes at once, of all the application's. */
  isThrottled: boolean
}

/** What came of replacing a refused token. */
export type Renewal = { token: ProviderToken } | { error: unknown }

/** How one application's pushes get to their provider. `Post` is what all deliveries of a message have in common. */
export interface Sender<Post> {
  limiter: Limiter
  tokens: TokenSource
  prepare(message: PushMessage): Post
  /** Starts the request, with `flight.token`; or answers the outcome at once, and `ended` is not called. */
  send(inFlight: InFlightPush<Post>, signal: AbortSignal, ended: Settle): Outcome | undefined
  responded(response: Http2Response, inFlight: InFlightPush<Post>): Interpretation
  /** Of a push whose token was refused and which is not repeated. */
  refused(inFlight: InFlightPush<Post>, refusal: TokenRefused, renewal: Renewal): Outcome
}

/** Rejects, with nothing pushed, when there is no provider token to be had. */
export async function sendChunk<Post>(sender: Sender<Post>, chunk: PushChunk, options: PushOptions): Promise<void> {
  const { signal } = options
  if (signal.aborted) return
  const push = new ChunkPush(sender, options, await sender.tokens.take())
  const posts = postsOf(sender, chunk)
  await sender.limiter.walk({
    items: chunk.targets,
    signal,
    // Made when it starts: what lives as long as the chunk is copied by the collector again and again.
    start(target, done, index) {
      const post = posts[target.message] as Post // looked at by postsOf
      push.start({ index, target, post, token: push.token, sentAt: 0, roundTrip: 0, isResent: false, done })
    },
  })
}

function postsOf<Post>(sender: Sender<Post>, { messages, targets }: PushChunk): Post[] {
  for (const [index, { message }] of targets.entries())
    if (!(message in messages)) throw new RangeError(`target ${index} names message ${message} of ${messages.length}`)
  return messages.map((message) => sender.prepare(message))
}

class ChunkPush<Post> {
  /** Of the next push. */
  token: ProviderToken
  readonly #route: Sender<Post>
  readonly #options: PushOptions

  constructor(sender: Sender<Post>, options: PushOptions, token: ProviderToken) {
    this.#route = sender
    this.#options = options
    this.token = token
  }

  start(inFlight: InFlightPush<Post>) {
    const { limiter } = this.#route
    const held = limiter.held()
    if (held) return this.#settle(inFlight, held)
    inFlight.token = this.token
    inFlight.sentAt = performance.now()
    inFlight.roundTrip = limiter.start()
    const { signal } = this.#options
    const outcome = this.#route.send(inFlight, signal, (result) => this.#ended(inFlight, result))
    if (outcome) this.#settle(inFlight, outcome)
  }

  #ended(inFlight: InFlightPush<Post>, result: Http2Result) {
    const latencyMs = performance.now() - inFlight.sentAt
    if (result.kind === 'response') return this.#responded(inFlight, result, latencyMs)
    if (result.kind === 'timeout') this.#route.limiter.late(inFlight.roundTrip, latencyMs)
    // Withdrawn while it waited for a stream: not pushed, so not settled.
    if (result.kind === 'unsent' && isCalledOff(this.#options.signal)) return inFlight.done()
    this.#options.withoutResponse?.(result.reason)
    this.#settle(inFlight, transportOutcome(result))
  }

  #responded(inFlight: InFlightPush<Post>, response: Http2Response, latencyMs: number) {
    this.#options.responded?.(latencyMs / 1000)
    const { outcome, isThrottled } = this.#route.responded(response, inFlight)
    if (outcome.kind === 'token-refused') return void this.#renewToken(inFlight, outcome)
    if (isThrottled) this.#route.limiter.refused(inFlight.roundTrip, outcome)
    else if (response.status < 500) this.#route.limiter.passed(inFlight.roundTrip, latencyMs)
    this.#settle(inFlight, outcome)
  }

  #settle(inFlight: InFlightPush<Post>, outcome: Outcome) {
    this.#options.settle(inFlight.index, outcome)
    inFlight.done()
  }

  async #renewToken(inFlight: InFlightPush<Post>, refusal: TokenRefused) {
    const renewal = await this.#renewal(inFlight.token)
    const isOther = 'token' in renewal && renewal.token.value !== inFlight.token.value
    if (isOther) this.token = renewal.token
    if (isOther && !inFlight.isResent && !this.#options.signal.aborted) {
      inFlight.isResent = true
      return this.start(inFlight)
    }
    this.#settle(inFlight, this.#route.refused(inFlight, refusal, renewal))
  }

  async #renewal(refused: ProviderToken): Promise<Renewal> {
    try {
      return { token: await this.#route.tokens.renew(refused) }
    } catch (error) {
      return { error }
    }
  }
}

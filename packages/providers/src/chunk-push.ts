// One chunk on its way, whatever the provider: as many pushes at once as the flow allows, and one repetition for a push
// whose provider token was refused and could be replaced.
import type { Http2Result, Settle } from '@push-server/http2'
import { isCalledOff } from './call-off.ts'
import type { Flow } from './flow.ts'
import type { Outcome, ProviderToken, PushChunk, PushMessage, PushOptions, PushTarget } from './provider.ts'
import type { TokenSource } from './token-source.ts'
import { transportOutcome } from './transport-outcome.ts'

export type Http2Answer = Extract<Http2Result, { kind: 'answer' }>

/** One delivery's push. */
export interface Flight<Post> {
  readonly index: number
  readonly target: PushTarget
  readonly post: Post
  /** What it was last sent with. */
  token: ProviderToken
  /** When, on the clock of `performance`. */
  sentAt: number
  /** Of the flow. */
  round: number
  isRepeated: boolean
  /** Tells the flow that it is over. */
  readonly done: () => void
}

/** An answer that speaks of the provider token and not of the push. */
export interface TokenRefused {
  kind: 'token-refused'
  reason: string
}

/** What an answer means. */
export interface Reading {
  outcome: Outcome | TokenRefused
  /** The provider wants fewer pushes at once, of all the application's. */
  isFlowControl: boolean
}

/** What came of replacing a refused token. */
export type Renewal = { token: ProviderToken } | { error: unknown }

/** How one application's pushes get to their provider. `Post` is what all deliveries of a message have in common. */
export interface Route<Post> {
  flow: Flow
  tokens: TokenSource
  prepare(message: PushMessage): Post
  /** Starts the request, with `flight.token`; or answers the outcome at once, and `ended` is not called. */
  send(flight: Flight<Post>, signal: AbortSignal, ended: Settle): Outcome | undefined
  answered(answer: Http2Answer, flight: Flight<Post>): Reading
  /** Of a push whose token was refused and which is not repeated. */
  refused(flight: Flight<Post>, refusal: TokenRefused, renewal: Renewal): Outcome
}

/** Rejects, with nothing pushed, when there is no provider token to be had. */
export async function pushChunk<Post>(route: Route<Post>, chunk: PushChunk, options: PushOptions): Promise<void> {
  const { signal } = options
  if (signal.aborted) return
  const push = new ChunkPush(route, options, await route.tokens.take())
  const posts = postsOf(route, chunk)
  await route.flow.walk({
    items: chunk.targets,
    signal,
    // Made when it starts: what lives as long as the chunk is copied by the collector again and again.
    start(target, done, index) {
      const post = posts[target.message] as Post // looked at by postsOf
      push.start({ index, target, post, token: push.token, sentAt: 0, round: 0, isRepeated: false, done })
    },
  })
}

function postsOf<Post>(route: Route<Post>, { messages, targets }: PushChunk): Post[] {
  for (const [index, { message }] of targets.entries())
    if (!(message in messages)) throw new RangeError(`target ${index} names message ${message} of ${messages.length}`)
  return messages.map((message) => route.prepare(message))
}

class ChunkPush<Post> {
  /** Of the next push. */
  token: ProviderToken
  readonly #route: Route<Post>
  readonly #options: PushOptions

  constructor(route: Route<Post>, options: PushOptions, token: ProviderToken) {
    this.#route = route
    this.#options = options
    this.token = token
  }

  start(flight: Flight<Post>) {
    const { flow } = this.#route
    const held = flow.held()
    if (held) return this.#settle(flight, held)
    flight.token = this.token
    flight.sentAt = performance.now()
    flight.round = flow.start()
    const { signal } = this.#options
    const outcome = this.#route.send(flight, signal, (result) => this.#ended(flight, result))
    if (outcome) this.#settle(flight, outcome)
  }

  #ended(flight: Flight<Post>, result: Http2Result) {
    const latencyMs = performance.now() - flight.sentAt
    if (result.kind === 'answer') return this.#answered(flight, result, latencyMs)
    if (result.kind === 'timeout') this.#route.flow.late(flight.round, latencyMs)
    // Withdrawn while it waited for a stream: not pushed, so not settled.
    if (result.kind === 'unsent' && isCalledOff(this.#options.signal)) return flight.done()
    this.#options.unanswered?.(result.reason)
    this.#settle(flight, transportOutcome(result))
  }

  #answered(flight: Flight<Post>, answer: Http2Answer, latencyMs: number) {
    this.#options.answered?.(latencyMs / 1000)
    const { outcome, isFlowControl } = this.#route.answered(answer, flight)
    if (outcome.kind === 'token-refused') return void this.#renewToken(flight, outcome)
    if (isFlowControl) this.#route.flow.refused(flight.round, outcome)
    else if (answer.status < 500) this.#route.flow.passed(flight.round, latencyMs)
    this.#settle(flight, outcome)
  }

  #settle(flight: Flight<Post>, outcome: Outcome) {
    this.#options.settle(flight.index, outcome)
    flight.done()
  }

  async #renewToken(flight: Flight<Post>, refusal: TokenRefused) {
    const renewal = await this.#renewal(flight.token)
    const isOther = 'token' in renewal && renewal.token.value !== flight.token.value
    if (isOther) this.token = renewal.token
    if (isOther && !flight.isRepeated && !this.#options.signal.aborted) {
      flight.isRepeated = true
      return this.start(flight)
    }
    this.#settle(flight, this.#route.refused(flight, refusal, renewal))
  }

  async #renewal(refused: ProviderToken): Promise<Renewal> {
    try {
      return { token: await this.#route.tokens.renew(refused) }
    } catch (error) {
      return { error }
    }
  }
}

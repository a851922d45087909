// One chunk on its way, whatever the provider: as many pushes at once as the window allows, and one repetition for a push
// whose provider token was refused and could be replaced.
import type { Http2Result, Settle } from '@push-server/http2'
import type { Outcome, ProviderToken, PushChunk, PushMessage, PushOptions, PushTarget } from './provider.ts'
import type { TokenSource } from './token-source.ts'
import { transportOutcome } from './transport-outcome.ts'
import type { Window } from './window.ts'

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
  isRepeated: boolean
}

/** An answer that speaks of the provider token and not of the push. */
export interface TokenRefused {
  kind: 'token-refused'
  reason: string
}

/** What came of replacing a refused token. */
export type Renewal = { token: ProviderToken } | { error: unknown }

/** How one application's pushes get to their provider. `Post` is what all deliveries of a message have in common. */
export interface Route<Post> {
  window: Window
  tokens: TokenSource
  prepare(message: PushMessage): Post
  /** Starts the request, with `flight.token`; or answers the outcome at once, and `ended` is not called. */
  send(flight: Flight<Post>, signal: AbortSignal, ended: Settle): Outcome | undefined
  answered(answer: Http2Answer): Outcome | TokenRefused
  /** Of a push whose token was refused and which is not repeated. */
  refused(flight: Flight<Post>, refusal: TokenRefused, renewal: Renewal): Outcome
}

/** Rejects, with nothing pushed, when there is no provider token to be had. */
export async function pushChunk<Post>(route: Route<Post>, chunk: PushChunk, options: PushOptions): Promise<void> {
  const { signal } = options
  if (signal.aborted) return
  const push = new ChunkPush(route, options, await route.tokens.take())
  const flights = flightsOf(route, chunk, push.token)
  await route.window.walk({ items: flights, signal, start: (flight, done) => push.start(flight, done) })
}

function flightsOf<Post>(route: Route<Post>, { messages, targets }: PushChunk, token: ProviderToken): Flight<Post>[] {
  const posts = messages.map((message) => ({ post: route.prepare(message) }))
  return targets.map((target, index) => {
    const prepared = posts[target.message]
    if (!prepared) throw new RangeError(`target ${index} names message ${target.message} of ${messages.length}`)
    return { index, target, post: prepared.post, token, sentAt: 0, isRepeated: false }
  })
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

  start(flight: Flight<Post>, done: () => void) {
    flight.token = this.token
    flight.sentAt = performance.now()
    const { signal } = this.#options
    const outcome = this.#route.send(flight, signal, (result) => this.#ended(flight, result, done))
    if (outcome) this.#settle(flight, outcome, done)
  }

  #ended(flight: Flight<Post>, result: Http2Result, done: () => void) {
    if (result.kind !== 'answer') {
      // Withdrawn while it waited for a stream: not pushed, so not settled.
      if (result.kind === 'unsent' && this.#options.signal.aborted) return done()
      this.#options.unanswered?.(result.reason)
      return this.#settle(flight, transportOutcome(result), done)
    }
    this.#options.answered?.((performance.now() - flight.sentAt) / 1000)
    const answer = this.#route.answered(result)
    if (answer.kind === 'token-refused') void this.#renewToken(flight, answer, done)
    else this.#settle(flight, answer, done)
  }

  #settle(flight: Flight<Post>, outcome: Outcome, done: () => void) {
    this.#options.settle(flight.index, outcome)
    done()
  }

  async #renewToken(flight: Flight<Post>, refusal: TokenRefused, done: () => void) {
    const renewal = await this.#renewal(flight.token)
    const isOther = 'token' in renewal && renewal.token.value !== flight.token.value
    if (isOther) this.token = renewal.token
    if (isOther && !flight.isRepeated && !this.#options.signal.aborted) {
      flight.isRepeated = true
      return this.start(flight, done)
    }
    this.#settle(flight, this.#route.refused(flight, refusal, renewal), done)
  }

  async #renewal(refused: ProviderToken): Promise<Renewal> {
    try {
      return { token: await this.#route.tokens.renew(refused) }
    } catch (error) {
      return { error }
    }
  }
}

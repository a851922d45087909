// One chunk on its way to APNs. What its devices share is built once; for each of them there is a path and an id.
import type { HeaderSet, Http2Client, Http2Result } from '@push-server/http2'
import type { Environment, Outcome, ProviderToken, PushChunk, PushOptions, PushTarget } from '../provider.ts'
import { transportOutcome } from '../transport-outcome.ts'
import type { Window } from '../window.ts'
import { readAnswer } from './answer.ts'
import { environmentOf } from './environment.ts'
import { apnsOutcome } from './outcome.ts'
import { apnsPayload } from './payload.ts'
import { renewableAt, type ApnsToken } from './token.ts'

/** What all chunks of an application have in common. */
export interface PushContext {
  bundle: string
  base: Environment
  clients: Readonly<Record<Environment, Http2Client>>
  token: ApnsToken
  window: Window
  now: () => number
  /** Told when a provider token had to be replaced and could not be. */
  onRenewalFailed(error: unknown): void
}

/** One message as it is posted. */
interface Post {
  payload: Buffer
  headers: HeaderSet
}

/** One device's push. */
interface Flight {
  index: number
  target: PushTarget
  post: Post
  /** What it was last sent with. */
  token: ProviderToken
  isRepeated: boolean
}

const ENVIRONMENT_MISMATCH: Outcome = { kind: 'failed', reason: 'EnvironmentMismatch' }
const NOT_HEXADECIMAL = /[^0-9a-f]/gi

/** Rejects, with nothing pushed, when there is no provider token to be had. */
export async function pushChunk(context: PushContext, chunk: PushChunk, options: PushOptions): Promise<void> {
  const { signal } = options
  if (signal.aborted) return
  const push = new ChunkPush(context, chunk, options, await context.token.take())
  await context.window.walk({ items: push.flights, signal, start: (flight, done) => push.start(flight, done) })
}

class ChunkPush {
  readonly flights: readonly Flight[]
  readonly #context: PushContext
  readonly #options: PushOptions
  readonly #posts: readonly Post[]
  #token: ProviderToken

  constructor(context: PushContext, { messages, targets }: PushChunk, options: PushOptions, token: ProviderToken) {
    const now = context.now()
    this.#context = context
    this.#options = options
    this.#token = token
    this.#posts = messages.map((message) => apnsPayload(message, context.bundle, now))
    this.#authorize()
    this.flights = targets.map((target, index) => {
      const post = this.#posts[target.message]
      if (!post) throw new RangeError(`target ${index} names message ${target.message} of ${messages.length}`)
      return { index, target, post, token, isRepeated: false }
    })
  }

  start(flight: Flight, done: () => void) {
    const { target, post } = flight
    const environment = environmentOf(target.environment, this.#context.base)
    if (!environment) return this.#settle(flight, ENVIRONMENT_MISMATCH, done)
    flight.token = this.#token
    this.#context.clients[environment].request(
      {
        path: `/3/device/${target.token.replace(NOT_HEXADECIMAL, '')}`,
        headers: post.headers,
        extra: [['apns-id', target.pushId]],
        body: post.payload,
        signal: this.#options.signal,
      },
      (result) => this.#ended(flight, result, done),
    )
  }

  #ended(flight: Flight, result: Http2Result, done: () => void) {
    if (result.kind !== 'answer') {
      // Withdrawn while it waited for a stream: not pushed, so not settled.
      if (result.kind === 'unsent' && this.#options.signal.aborted) return done()
      return this.#settle(flight, transportOutcome(result), done)
    }
    const answer = readAnswer(result)
    if (answer.reason === 'ExpiredProviderToken') return void this.#renewToken(flight, done)
    this.#settle(flight, apnsOutcome(answer, this.#context.now()), done)
  }

  #settle(flight: Flight, outcome: Outcome, done: () => void) {
    this.#options.settle(flight.index, outcome)
    done()
  }

  /** Repeats the push once, with another token; when there is none, or it is refused as well, the push has to wait. */
  async #renewToken(flight: Flight, done: () => void) {
    const token = await this.#renewed(flight.token)
    const isOther = token !== undefined && token.value !== flight.token.value
    if (isOther && !flight.isRepeated && !this.#options.signal.aborted) {
      flight.isRepeated = true
      return this.start(flight, done)
    }
    const isTooYoung = token !== undefined && !isOther
    const wait = isTooYoung && { notBefore: renewableAt(token) }
    this.#settle(flight, { kind: 'retry', reason: 'ExpiredProviderToken', ...wait }, done)
  }

  /** The token to use from now on, which may be the same; undefined when the attempt failed. */
  async #renewed(expired: ProviderToken): Promise<ProviderToken | undefined> {
    try {
      const token = await this.#context.token.renew(expired)
      if (token.value !== this.#token.value) {
        this.#token = token
        this.#authorize()
      }
      return token
    } catch (error) {
      this.#context.onRenewalFailed(error)
      return undefined
    }
  }

  #authorize() {
    for (const post of this.#posts) post.headers = { ...post.headers, authorization: `bearer ${this.#token.value}` }
  }
}

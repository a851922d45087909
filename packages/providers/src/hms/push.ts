// One chunk on its way to HMS, request by request. Every delivery of a request is settled from its one answer.
import type { Logger } from '@push-server/runtime'
import { isCalledOff } from '../call-off.ts'
import type { Limiter } from '../concurrency/limiter.ts'
import type { Outcome, ProviderToken, PushChunk, PushOptions } from '../provider.ts'
import { TokenRefused, TokenUnavailable } from '../oauth/token-endpoint.ts'
import type { TokenSource } from '../token-source.ts'
import { transportOutcome } from '../transport-outcome.ts'
import { readResponse, type HmsResponse } from './response.ts'
import type { PostResult } from './post-request.ts'
import { hmsOutcomes, isThrottled, outcomeOf, refusesAccess } from './outcome.ts'
import { hmsPayload, withTokens } from './payload.ts'
import type { PostClient } from './post-client.ts'
import { requestsOf, type HmsRequest, type RequestBounds } from './requests.ts'

/** What all chunks of an application have in common. */
export interface PushContext {
  url: URL
  client: PostClient
  accessTokens: TokenSource
  limiter: Limiter
  bounds: RequestBounds
  dataOnly: boolean
  log: Logger
  now: () => number
}

/** Settles the whole chunk when the token endpoint does not give an access token; rejects when the cache of them fails. */
export async function sendChunk(context: PushContext, chunk: PushChunk, options: PushOptions): Promise<void> {
  const { signal } = options
  if (signal.aborted) return
  const { dataOnly, bounds, now } = context
  const payloads = chunk.messages.map((message) => hmsPayload(message, { dataOnly, now: now() }))
  const requests = requestsOf(payloads, chunk.targets, bounds)
  const token = await context.accessTokens.take().catch(tokenError)
  if (isCalledOff(signal)) return
  if (!('value' in token)) return chunk.targets.forEach((_, index) => options.settle(index, token))
  const push = new ChunkPush(context, options, token)
  await context.limiter.walk({
    items: requests,
    signal,
    start: (request, done) => void push.send(request).finally(done),
  })
}

/** Rethrows what the token endpoint has no part in. */
function tokenError(error: unknown): Outcome {
  if (error instanceof TokenRefused) return { kind: 'credentials-error', reason: reasonOf(error) }
  if (error instanceof TokenUnavailable) return { kind: 'retry', reason: reasonOf(error) }
  throw error
}

const LONGEST_REASON = 100
const reasonOf = ({ name, message }: Error) => `${name}: ${message}`.slice(0, LONGEST_REASON)

class ChunkPush {
  readonly #context: PushContext
  readonly #options: PushOptions
  #token: ProviderToken

  constructor(context: PushContext, options: PushOptions, token: ProviderToken) {
    this.#context = context
    this.#options = options
    this.#token = token
  }

  /** Repeated once, with another access token, when HMS refuses the one it was sent with. */
  async send(request: HmsRequest): Promise<void> {
    const token = this.#token
    const response = await this.#exchange(request)
    if (!response) return
    if (!refusesAccess(response)) return this.#conclude(request, response)
    const renewal = await this.#renew(token)
    if (renewal === undefined || this.#options.signal.aborted) return this.#postpone(request, response)
    if (!('value' in renewal)) return this.#settle(request, () => renewal)
    if (renewal.value === token.value) return this.#conclude(request, response)
    this.#token = renewal
    const second = await this.#exchange(request)
    if (second) this.#conclude(request, second)
  }

  /** Undefined: there was no answer, and the request is settled; or it was withdrawn, and is not. */
  async #exchange(request: HmsRequest): Promise<HmsResponse | undefined> {
    const { limiter, now } = this.#context
    const held = limiter.held()
    if (held) return this.#settle(request, () => held)
    const roundTrip = limiter.start()
    const sentAt = performance.now()
    const result = await this.#post(request)
    const latencyMs = performance.now() - sentAt
    if (result.kind !== 'response') {
      if (result.kind === 'unsent' && isCalledOff(this.#options.signal)) return undefined
      this.#options.withoutResponse?.(result.reason)
      const outcome = transportOutcome(result)
      return this.#settle(request, () => outcome)
    }
    this.#options.responded?.(latencyMs / 1000)
    const response = readResponse(result)
    if (isThrottled(response)) limiter.refused(roundTrip, outcomeOf(response, now()))
    // A request of a thousand tokens takes longer than one of a single one: that says nothing about the provider.
    else if (response.status < 500) limiter.passed(roundTrip)
    return response
  }

  #post({ payload, tokens }: HmsRequest): Promise<PostResult> {
    return this.#context.client.post({
      url: this.#context.url,
      headers: { 'content-type': 'application/json;charset=UTF-8', authorization: `Bearer ${this.#token.value}` },
      body: withTokens(payload, tokens),
      signal: this.#options.signal,
    })
  }

  /** The token to go on with, which may be the same; or what came instead; undefined when the cache failed. */
  async #renew(refused: ProviderToken): Promise<ProviderToken | Outcome | undefined> {
    try {
      return await this.#context.accessTokens.renew(refused).catch(tokenError)
    } catch (error) {
      this.#context.log.warn({ err: error }, 'HMS access token was not renewed')
      return undefined
    }
  }

  #conclude(request: HmsRequest, response: HmsResponse) {
    const outcomes = hmsOutcomes(response, request.tokens, this.#context.now())
    this.#settle(request, (place) => outcomes[place])
  }

  /** Nothing of the request was pushed, and the credentials are not known to be at fault. */
  #postpone(request: HmsRequest, { code, status }: HmsResponse) {
    const outcome: Outcome = { kind: 'retry', reason: code ?? `HTTP ${status}` }
    this.#settle(request, () => outcome)
  }

  #settle({ indexes }: HmsRequest, outcomeAt: (place: number) => Outcome | undefined): undefined {
    for (const [place, index] of indexes.entries()) {
      const outcome = outcomeAt(place)
      if (outcome) this.#options.settle(index, outcome)
    }
  }
}

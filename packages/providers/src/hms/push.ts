// Sends a chunk to HMS, request by request. Every delivery of a request is settled from its one response.
import type { Logger } from '@push-server/runtime'
import { isChunkAborted } from '../chunk-abort.ts'
import type { Limiter } from '../concurrency/limiter.ts'
import type { Outcome, ProviderToken, PushChunk, PushMessage, PushOptions } from '../provider.ts'
import { tokenOutcome } from '../oauth/token-outcome.ts'
import type { TokenSource } from '../token-source.ts'
import { transportOutcome } from '../transport-outcome.ts'
import { readResponse, type HmsResponse } from './response.ts'
import type { PostResult } from './post-request.ts'
import { hmsOutcomes, isThrottled, outcomeOf, refusesAccess } from './outcome.ts'
import { hmsPayload, onlyValidated, withTokens } from './payload.ts'
import type { PostClient } from './post-client.ts'
import { requestsOf, type HmsRequest, type RequestBounds } from './requests.ts'

/** The parts that all chunks of an application share. */
export interface HmsPushContext {
  url: URL
  client: PostClient
  accessTokens: TokenSource
  limiter: Limiter
  bounds: RequestBounds
  /** See HmsPayloadOptions, as for `appId`. */
  dataOnly: boolean
  appId: string
  validateOnly: boolean
  log: Logger
  now: () => number
}

/** Settles the whole chunk when the token endpoint gives no access token. Rejects when the cache of tokens fails. */
export async function sendRequests(context: HmsPushContext, chunk: PushChunk, options: PushOptions): Promise<void> {
  const { signal } = options
  if (signal.aborted) return
  const { dataOnly, appId, validateOnly, bounds, now } = context
  const build = (message: PushMessage) => hmsPayload(message, { dataOnly, appId, now: now() })
  const payloads = chunk.messages.map((message) => (validateOnly ? onlyValidated(build(message)) : build(message)))
  const requests = requestsOf(payloads, chunk.targets, bounds)
  const token = await context.accessTokens.take().catch(tokenOutcomeOrThrow)
  if (isChunkAborted(signal)) return
  if (!('value' in token)) return chunk.targets.forEach((_, index) => options.settle(index, token))
  const sender = new RequestSender(context, options, token)
  await context.limiter.startAll({
    items: requests,
    signal,
    start: (request, done) => void sender.send(request).finally(done),
  })
}

/** Rethrows errors that are not of the token endpoint. */
function tokenOutcomeOrThrow(error: unknown): Outcome {
  const outcome = tokenOutcome(error)
  if (!outcome) throw error
  return outcome
}

class RequestSender {
  readonly #context: HmsPushContext
  readonly #options: PushOptions
  #token: ProviderToken

  constructor(context: HmsPushContext, options: PushOptions, token: ProviderToken) {
    this.#context = context
    this.#options = options
    this.#token = token
  }

  /** Sends a request, and repeats it once with another access token when HMS refuses the first one. */
  async send(request: HmsRequest): Promise<void> {
    const token = this.#token
    const response = await this.#sendOnce(request)
    if (!response) return
    if (!refusesAccess(response)) return this.#conclude(request, response)
    const renewal = await this.#renew(token)
    if (renewal === undefined || this.#options.signal.aborted) return this.#postpone(request, response)
    if (!('value' in renewal)) return this.#settle(request, () => renewal)
    if (renewal.value === token.value) return this.#conclude(request, response)
    this.#token = renewal
    const second = await this.#sendOnce(request)
    if (second) this.#conclude(request, second)
  }

  /** Undefined without a response: the request is settled then, or was withdrawn and stays unsettled. */
  async #sendOnce(request: HmsRequest): Promise<HmsResponse | undefined> {
    const { limiter, now } = this.#context
    const held = limiter.held()
    if (held) return this.#settle(request, () => held)
    const roundTrip = limiter.start()
    const sentAt = performance.now()
    const result = await this.#post(request)
    const latencyMs = performance.now() - sentAt
    if (result.kind !== 'response') {
      if (result.kind === 'unsent' && isChunkAborted(this.#options.signal)) return undefined
      this.#options.withoutResponse?.(result.reason)
      const outcome = transportOutcome(result)
      return this.#settle(request, () => outcome)
    }
    this.#options.responded?.(latencyMs / 1000)
    const response = readResponse(result)
    if (isThrottled(response)) limiter.refused(roundTrip, outcomeOf(response, now()))
    // A request of a thousand tokens takes longer than one of a single token, which tells nothing about the provider.
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

  /** The next token, which may be the same; or an outcome when there is none; undefined when the cache failed. */
  async #renew(refused: ProviderToken): Promise<ProviderToken | Outcome | undefined> {
    try {
      return await this.#context.accessTokens.renew(refused).catch(tokenOutcomeOrThrow)
    } catch (error) {
      this.#context.log.warn({ err: error }, 'HMS access token renewal failed')
      return undefined
    }
  }

  #conclude(request: HmsRequest, response: HmsResponse) {
    const outcomes = hmsOutcomes(response, request.tokens, this.#context.now())
    this.#settle(request, (place) => outcomes[place])
  }

  /** Nothing of the request was pushed, and the credentials are not known to be wrong. */
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

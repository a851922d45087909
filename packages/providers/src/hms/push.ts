// Sends a chunk to HMS, request by request. Every delivery of a request is settled from its one response.
import type { Logger } from '@push-server/runtime'
import { isChunkAborted } from '../chunk-abort.ts'
import type { Limiter } from '../concurrency/limiter.ts'
import type { Outcome, ProviderToken, PushChunk, PushMessage, PushOptions, PushTarget } from '../provider.ts'
import { tokenOutcome } from '../oauth/token-outcome.ts'
import type { TokenSource } from '../token-source.ts'
import { transportOutcome } from '../transport-outcome.ts'
import { readResponse, type HmsResponse } from './response.ts'
import type { PostResult } from './post-request.ts'
import { hmsOutcomes, isThrottled, outcomeOf } from './outcome.ts'
import { withTokens, type HmsPayload } from './payload.ts'
import type { PostClient } from './post-client.ts'
import { requestsOf, type HmsRequest, type RequestBounds } from './requests.ts'

/** One version of the API, with what its requests need. */
export interface HmsApi {
  url: URL
  accessTokens: TokenSource
  /** The request of a message; or the reason why phones would show nothing of it. */
  build(message: PushMessage): HmsPayload | string
  /** Whether another access token may help. */
  refusesAccess(response: HmsResponse): boolean
}

/** The parts that all chunks of an application share. */
export interface HmsPushContext {
  /** By the kind of the token: version 2 for the usual ones. Undefined: the application has no credentials for it. */
  apis: Readonly<Record<'usual' | 'v3', HmsApi | undefined>>
  client: PostClient
  limiter: Limiter
  bounds: RequestBounds
  log: Logger
  now: () => number
}

/** Targets of one version of the API. */
interface Part {
  api: HmsApi | undefined
  targets: readonly PushTarget[]
  /** Their positions in the chunk; undefined: these are all. */
  indexes?: readonly number[]
}

const NOT_CONFIGURED: Outcome = { kind: 'failed', reason: 'NotConfigured' }

/** Settles the whole chunk when the token endpoint gives no access token. Rejects when the cache of tokens fails. */
export async function sendRequests(context: HmsPushContext, chunk: PushChunk, options: PushOptions): Promise<void> {
  if (options.signal.aborted) return
  const sent = partsOf(context, chunk).map((part) => sendPart(context, chunk, { part, options }))
  // What is in flight is waited for, even when the other part was rejected.
  const results = await Promise.allSettled(sent)
  for (const result of results) if (result.status === 'rejected') throw result.reason as Error
}

function partsOf({ apis }: HmsPushContext, { targets }: PushChunk): Part[] {
  if (!targets.some(isV3)) return [{ api: apis.usual, targets }]
  const usual: number[] = []
  const v3: number[] = []
  for (const [index, target] of targets.entries()) (isV3(target) ? v3 : usual).push(index)
  const partOf = (api: HmsApi | undefined, indexes: readonly number[]): Part => ({
    api,
    targets: indexes.flatMap((index) => targets[index] ?? []),
    indexes,
  })
  return [partOf(apis.usual, usual), partOf(apis.v3, v3)].filter((part) => part.targets.length > 0)
}

const isV3 = ({ tokenKind }: PushTarget) => tokenKind === 'v3'

async function sendPart(
  context: HmsPushContext,
  { messages }: PushChunk,
  { part, options }: { part: Part; options: PushOptions },
): Promise<void> {
  const { signal, settle } = options
  const { api, targets, indexes } = part
  const indexAt = (place: number) => indexes?.[place] ?? place
  if (!api) return targets.forEach((_, place) => settle(indexAt(place), NOT_CONFIGURED))
  const divided = requestsOf(payloadsOf(api, messages, targets), targets, {
    ...context.bounds,
    onUnshown: (place, reason) => settle(indexAt(place), { kind: 'failed', reason }),
  })
  if (divided.length === 0) return
  const requests = indexes ? divided.map((request) => ({ ...request, indexes: request.indexes.map(indexAt) })) : divided
  const token = await api.accessTokens.take().catch(tokenOutcomeOrThrow)
  if (isChunkAborted(signal)) return
  if (!('value' in token))
    return requests.forEach((request) => request.indexes.forEach((index) => settle(index, token)))
  const sender = new RequestSender(context, { api, options, token })
  await context.limiter.startAll({
    items: requests,
    signal,
    start: (request, done) => void sender.send(request).finally(done),
  })
}

/** By the position of their message; those that no target names are left out. */
function payloadsOf(api: HmsApi, messages: readonly PushMessage[], targets: readonly PushTarget[]) {
  const named = new Set(targets.map(({ message }) => message))
  return messages.map((message, position) => (named.has(position) ? api.build(message) : undefined))
}

/** Rethrows errors that are not of the token endpoint. */
function tokenOutcomeOrThrow(error: unknown): Outcome {
  const outcome = tokenOutcome(error)
  if (!outcome) throw error
  return outcome
}

class RequestSender {
  readonly #context: HmsPushContext
  readonly #api: HmsApi
  readonly #options: PushOptions
  #token: ProviderToken

  constructor(
    context: HmsPushContext,
    { api, options, token }: { api: HmsApi; options: PushOptions; token: ProviderToken },
  ) {
    this.#context = context
    this.#api = api
    this.#options = options
    this.#token = token
  }

  /** Sends a request, and repeats it once with another access token when HMS refuses the first one. */
  async send(request: HmsRequest): Promise<void> {
    const token = this.#token
    const response = await this.#sendOnce(request)
    if (!response) return
    if (!this.#api.refusesAccess(response)) return this.#conclude(request, response)
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
      url: this.#api.url,
      headers: {
        'content-type': 'application/json;charset=UTF-8',
        authorization: `Bearer ${this.#token.value}`,
        ...(payload.pushType !== undefined && { 'push-type': payload.pushType }),
      },
      body: withTokens(payload, tokens),
      signal: this.#options.signal,
    })
  }

  /** The next token, which may be the same; or an outcome when there is none; undefined when the cache failed. */
  async #renew(refused: ProviderToken): Promise<ProviderToken | Outcome | undefined> {
    try {
      return await this.#api.accessTokens.renew(refused).catch(tokenOutcomeOrThrow)
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

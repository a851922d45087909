// How one push gets to FCM: one path and one set of headers for all of them, and a body with the device's token.
import type { Http2Client } from '@push-server/http2'
import { authorizedHeaders } from '../oauth/authorized-headers.ts'
import { isCalledOff } from '../call-off.ts'
import { sendChunk, type Sender } from '../chunk-push.ts'
import type { Limiter } from '../concurrency/limiter.ts'
import type { PushChunk, PushOptions } from '../provider.ts'
import type { TokenSource } from '../token-source.ts'
import { readResponse } from './response.ts'
import { fcmOutcome, isThrottled } from './outcome.ts'
import { fcmBody, fcmPayload } from './payload.ts'
import { refusedOutcome, tokenError } from './token-error.ts'

/** What all chunks of an application have in common. */
export interface FcmRouteOptions {
  projectId: string
  client: Http2Client
  tokens: TokenSource
  limiter: Limiter
  dataOnly: boolean
  now: () => number
  /** Told when there was no access token to be had. */
  onTokenError(error: unknown): void
}

export function fcmRoute({ projectId, client, tokens, limiter, dataOnly, now, onTokenError }: FcmRouteOptions) {
  const path = `/v1/projects/${encodeURIComponent(projectId)}/messages:send`
  const headersWith = authorizedHeaders('Bearer', { 'content-type': 'application/json' })
  const sender: Sender<Buffer> = {
    limiter,
    tokens,
    prepare: (message) => fcmPayload(message, { now: now(), dataOnly }),
    send({ target, post, token }, signal, ended) {
      client.request({ path, headers: headersWith(token), body: fcmBody(post, target.token), signal }, ended)
    },
    responded(result) {
      const response = readResponse(result)
      return { outcome: fcmOutcome(response, now()), isThrottled: isThrottled(response) }
    },
    refused(inFlight, refusal, renewal) {
      if ('error' in renewal) onTokenError(renewal.error)
      return refusedOutcome(inFlight, refusal, renewal)
    },
  }

  /** Settles the whole chunk when the token endpoint does not give an access token; other faults reject. */
  return async (chunk: PushChunk, options: PushOptions): Promise<void> => {
    try {
      await sendChunk(sender, chunk, options)
    } catch (error) {
      const outcome = tokenError(error)
      if (!outcome) throw error
      onTokenError(error)
      if (isCalledOff(options.signal)) return
      for (const index of chunk.targets.keys()) options.settle(index, outcome)
    }
  }
}

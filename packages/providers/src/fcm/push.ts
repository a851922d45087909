// How one push gets to FCM: one path and one set of headers for all of them, and a body with the device's token.
import type { Http2Client } from '@push-server/http2'
import { authorizedHeaders } from '../authorized-headers.ts'
import { isCalledOff } from '../call-off.ts'
import { pushChunk, type Route } from '../chunk-push.ts'
import type { Flow } from '../flow.ts'
import type { PushChunk, PushOptions } from '../provider.ts'
import type { TokenSource } from '../token-source.ts'
import { readAnswer } from './answer.ts'
import { fcmOutcome, isFlowControl } from './outcome.ts'
import { fcmBody, fcmPayload } from './payload.ts'
import { refusedOutcome, tokenFault } from './token-fault.ts'

/** What all chunks of an application have in common. */
export interface FcmRouteOptions {
  projectId: string
  client: Http2Client
  tokens: TokenSource
  flow: Flow
  dataOnly: boolean
  now: () => number
  /** Told when there was no access token to be had. */
  onTokenFault(error: unknown): void
}

export function fcmRoute({ projectId, client, tokens, flow, dataOnly, now, onTokenFault }: FcmRouteOptions) {
  const path = `/v1/projects/${encodeURIComponent(projectId)}/messages:send`
  const headersWith = authorizedHeaders('Bearer', { 'content-type': 'application/json' })
  const route: Route<Buffer> = {
    flow,
    tokens,
    prepare: (message) => fcmPayload(message, { now: now(), dataOnly }),
    send({ target, post, token }, signal, ended) {
      client.request({ path, headers: headersWith(token), body: fcmBody(post, target.token), signal }, ended)
    },
    answered(result) {
      const answer = readAnswer(result)
      return { outcome: fcmOutcome(answer, now()), isFlowControl: isFlowControl(answer) }
    },
    refused(flight, refusal, renewal) {
      if ('error' in renewal) onTokenFault(renewal.error)
      return refusedOutcome(flight, refusal, renewal)
    },
  }

  /** Settles the whole chunk when the token endpoint does not give an access token; other faults reject. */
  return async (chunk: PushChunk, options: PushOptions): Promise<void> => {
    try {
      await pushChunk(route, chunk, options)
    } catch (error) {
      const outcome = tokenFault(error)
      if (!outcome) throw error
      onTokenFault(error)
      if (isCalledOff(options.signal)) return
      for (const index of chunk.targets.keys()) options.settle(index, outcome)
    }
  }
}

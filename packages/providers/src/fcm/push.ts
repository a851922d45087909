// How one push gets to FCM: one path and one set of headers for all of them, and a body with the device's token. What FCM
// says of the project's pace holds for every push that has not been started.
import type { Http2Client } from '@push-server/http2'
import { authorizedHeaders } from '../authorized-headers.ts'
import { pushChunk, type Route } from '../chunk-push.ts'
import type { Outcome, PushChunk, PushOptions } from '../provider.ts'
import type { TokenSource } from '../token-source.ts'
import type { Window } from '../window.ts'
import { readAnswer } from './answer.ts'
import { fcmOutcome, projectPause } from './outcome.ts'
import { fcmBody, fcmPayload } from './payload.ts'
import { refusedOutcome, tokenFault } from './token-fault.ts'

/** What all chunks of an application have in common. */
export interface FcmRouteOptions {
  projectId: string
  client: Http2Client
  tokens: TokenSource
  window: Window
  dataOnly: boolean
  now: () => number
  /** Told when there was no access token to be had. */
  onTokenFault(error: unknown): void
}

export function fcmRoute({ projectId, client, tokens, window, dataOnly, now, onTokenFault }: FcmRouteOptions) {
  const path = `/v1/projects/${encodeURIComponent(projectId)}/messages:send`
  const headersWith = authorizedHeaders('Bearer', { 'content-type': 'application/json' })
  let pausedUntil = -Infinity
  let pause: Outcome | undefined

  function holdBack(until: number, reason: string) {
    if (until <= pausedUntil) return
    pausedUntil = until
    pause = { kind: 'retry', reason: `Unsent: ${reason}`, notBefore: until }
  }

  const route: Route<Buffer> = {
    window,
    tokens,
    prepare: (message) => fcmPayload(message, { now: now(), dataOnly }),
    send({ target, post, token }, signal, ended) {
      if (now() < pausedUntil) return pause
      client.request({ path, headers: headersWith(token), body: fcmBody(post, target.token), signal }, ended)
    },
    answered(result) {
      const answer = readAnswer(result)
      const outcome = fcmOutcome(answer, now())
      const until = projectPause(answer, outcome)
      if (until !== undefined && outcome.kind === 'retry') holdBack(until, outcome.reason)
      return outcome
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
      if (options.signal.aborted) return
      for (const index of chunk.targets.keys()) options.settle(index, outcome)
    }
  }
}

// Sends pushes to FCM. All pushes share one path and one set of headers; each body has the device's token.
import type { Http2Client } from '@push-server/http2'
import { authorizedHeaders } from '../oauth/authorized-headers.ts'
import { tokenOutcome } from '../oauth/token-outcome.ts'
import { isChunkAborted } from '../chunk-abort.ts'
import { sendChunk, type Sender } from '../chunk-push.ts'
import type { Limiter } from '../concurrency/limiter.ts'
import type { PushChunk, PushOptions } from '../provider.ts'
import type { TokenSource } from '../token-source.ts'
import { readResponse } from './response.ts'
import { fcmOutcome, installationOutcome, isThrottled } from './outcome.ts'
import { fcmBody, fcmPayload, isInstallation, onlyValidated } from './payload.ts'
import { refusedOutcome } from './refused-outcome.ts'

/** The parts that all chunks of an application share. */
export interface FcmPushOptions {
  projectId: string
  client: Http2Client
  tokens: TokenSource
  limiter: Limiter
  dataOnly: boolean
  validateOnly: boolean
  now: () => number
  /** Called when an access token could not be obtained. */
  onTokenError(error: unknown): void
}

export function fcmPush(options: FcmPushOptions) {
  const { projectId, client, tokens, limiter, dataOnly, validateOnly, now, onTokenError } = options
  const path = `/v1/projects/${encodeURIComponent(projectId)}/messages:send`
  const headersWith = authorizedHeaders('Bearer', { 'content-type': 'application/json' })
  const sender: Sender<Buffer> = {
    limiter,
    tokens,
    prepare(message) {
      const payload = fcmPayload(message, { now: now(), dataOnly })
      return validateOnly ? onlyValidated(payload) : payload
    },
    send({ target, prepared, token }, signal, ended) {
      client.request({ path, headers: headersWith(token), body: fcmBody(prepared, target), signal }, ended)
    },
    responded(result, { target }) {
      const response = readResponse(result)
      const outcome = target.tokenKind !== undefined && isInstallation(target) ? installationOutcome : fcmOutcome
      return { outcome: outcome(response, now()), isThrottled: isThrottled(response) }
    },
    refused(inFlight, refusal, renewal) {
      if ('error' in renewal) onTokenError(renewal.error)
      return refusedOutcome(inFlight, refusal, renewal)
    },
  }

  /** Settles the whole chunk when the token endpoint gives no access token. Rejects with any other error. */
  return async (chunk: PushChunk, options: PushOptions): Promise<void> => {
    try {
      await sendChunk(sender, chunk, options)
    } catch (error) {
      const outcome = tokenOutcome(error)
      if (!outcome) throw error
      onTokenError(error)
      if (isChunkAborted(options.signal)) return
      for (const index of chunk.targets.keys()) options.settle(index, outcome)
    }
  }
}

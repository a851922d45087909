// How one push gets to APNs. What the devices of a message share is built once; for each of them there is a path and an id.
import type { HeaderSet } from '@push-server/http2'
import { authorizedSets } from '../oauth/authorized-headers.ts'
import type { Interpretation, Sender } from '../chunk-push.ts'
import type { Limiter } from '../concurrency/limiter.ts'
import type { Environment, Outcome, ProviderToken } from '../provider.ts'
import type { TokenSource } from '../token-source.ts'
import { readResponse } from './response.ts'
import type { Connections } from './connections.ts'
import { environmentOf } from './environment.ts'
import { apnsOutcome, endsConnection, isThrottled } from './outcome.ts'
import { apnsPayload } from './payload.ts'
import { renewableAt } from './token.ts'

/** What all chunks of an application have in common. */
export interface ApnsRouteOptions {
  bundle: string
  base: Environment
  connections: Readonly<Record<Environment, Connections>>
  tokens: TokenSource
  limiter: Limiter
  now: () => number
  /** Told when a provider token had to be replaced and could not be. */
  onRenewalFailed(error: unknown): void
}

/** One message as it is posted. */
interface Post {
  payload: Buffer
  headersWith(token: ProviderToken): HeaderSet
}

const EXPIRED = 'ExpiredProviderToken'
const TOKEN_EXPIRED: Interpretation = { outcome: { kind: 'token-refused', reason: EXPIRED }, isThrottled: false }
const SENT: Outcome = { kind: 'sent' }
const accepted = (id: string | undefined): Interpretation => ({
  outcome: id === undefined ? SENT : { kind: 'sent', id },
  isThrottled: false,
})
const ENVIRONMENT_MISMATCH: Outcome = { kind: 'failed', reason: 'EnvironmentMismatch' }
const NOT_HEXADECIMAL = /[^0-9a-f]/gi

export function apnsRoute({
  bundle,
  base,
  connections,
  tokens,
  limiter,
  now,
  ...events
}: ApnsRouteOptions): Sender<Post> {
  const headerSets = authorizedSets('bearer')
  return {
    limiter,
    tokens,
    prepare(message) {
      const { payload, headers } = apnsPayload(message, bundle, now())
      return { payload, headersWith: headerSets(headers) }
    },
    send({ target, post, token }, signal, ended) {
      const environment = environmentOf(target.environment, base)
      if (!environment) return ENVIRONMENT_MISMATCH
      connections[environment].request(
        {
          path: `/3/device/${target.token.replace(NOT_HEXADECIMAL, '')}`,
          headers: post.headersWith(token),
          extra: [['apns-id', target.pushId]],
          body: post.payload,
          signal,
        },
        ended,
      )
    },
    responded(result, { target }) {
      if (result.status === 200) return accepted(result.headers['apns-id'])
      const response = readResponse(result)
      if (response.reason === EXPIRED) return TOKEN_EXPIRED
      const environment = environmentOf(target.environment, base)
      if (environment && endsConnection(response)) connections[environment].renew(`APNs: ${response.reason}`)
      return { outcome: apnsOutcome(response, now()), isThrottled: isThrottled(response) }
    },
    // Our own token is at fault, and only for now: the push has to wait.
    refused({ token }, { reason }, renewal) {
      if ('error' in renewal) events.onRenewalFailed(renewal.error)
      const isTooYoung = 'token' in renewal && renewal.token.value === token.value
      return { kind: 'retry', reason, ...(isTooYoung && { notBefore: renewableAt(token) }) }
    },
  }
}

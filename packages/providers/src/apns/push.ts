// How one push gets to APNs. What the devices of a message share is built once; for each of them there is a path and an id.
import type { HeaderSet } from '@push-server/http2'
import { authorizedSets } from '../authorized-headers.ts'
import type { Reading, Route } from '../chunk-push.ts'
import type { Flow } from '../flow.ts'
import type { Environment, Outcome, ProviderToken } from '../provider.ts'
import type { TokenSource } from '../token-source.ts'
import { readAnswer } from './answer.ts'
import type { Connections } from './connections.ts'
import { environmentOf } from './environment.ts'
import { apnsOutcome, endsConnection, isFlowControl } from './outcome.ts'
import { apnsPayload } from './payload.ts'
import { renewableAt } from './token.ts'

/** What all chunks of an application have in common. */
export interface ApnsRouteOptions {
  bundle: string
  base: Environment
  connections: Readonly<Record<Environment, Connections>>
  tokens: TokenSource
  flow: Flow
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
const TOKEN_EXPIRED: Reading = { outcome: { kind: 'token-refused', reason: EXPIRED }, isFlowControl: false }
const SENT: Outcome = { kind: 'sent' }
const accepted = (id: string | undefined): Reading => ({
  outcome: id === undefined ? SENT : { kind: 'sent', id },
  isFlowControl: false,
})
const ENVIRONMENT_MISMATCH: Outcome = { kind: 'failed', reason: 'EnvironmentMismatch' }
const NOT_HEXADECIMAL = /[^0-9a-f]/gi

export function apnsRoute({ bundle, base, connections, tokens, flow, now, ...events }: ApnsRouteOptions): Route<Post> {
  const headerSets = authorizedSets('bearer')
  return {
    flow,
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
    answered(result, { target }) {
      if (result.status === 200) return accepted(result.headers['apns-id'])
      const answer = readAnswer(result)
      if (answer.reason === EXPIRED) return TOKEN_EXPIRED
      const environment = environmentOf(target.environment, base)
      if (environment && endsConnection(answer)) connections[environment].renew(`APNs: ${answer.reason}`)
      return { outcome: apnsOutcome(answer, now()), isFlowControl: isFlowControl(answer) }
    },
    // Our own token is at fault, and only for now: the push has to wait.
    refused({ token }, { reason }, renewal) {
      if ('error' in renewal) events.onRenewalFailed(renewal.error)
      const isTooYoung = 'token' in renewal && renewal.token.value === token.value
      return { kind: 'retry', reason, ...(isTooYoung && { notBefore: renewableAt(token) }) }
    },
  }
}

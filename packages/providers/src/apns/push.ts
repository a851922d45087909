// Sends one push to APNs. The parts that the devices of a message share are built once; each device has its path and id.
import type { HeaderSet } from '@push-server/http2'
import { authorizedSets } from '../oauth/authorized-headers.ts'
import type { Http2Response, Interpretation, Sender } from '../chunk-push.ts'
import type { Limiter } from '../concurrency/limiter.ts'
import type { Environment, Outcome, ProviderToken } from '../provider.ts'
import type { TokenSource } from '../token-source.ts'
import { readResponse } from './response.ts'
import type { Connections } from './connections.ts'
import { environmentOf } from './environment.ts'
import { apnsOutcome, endsConnection, isThrottled } from './outcome.ts'
import { apnsPayload } from './payload.ts'
import { renewableAt } from './token.ts'

/** The parts that all chunks of an application share. */
export interface ApnsSenderOptions {
  bundle: string
  base: Environment
  connections: Readonly<Record<Environment, Connections>>
  tokens: TokenSource
  limiter: Limiter
  now: () => number
  /** Called when a provider token could not be replaced. */
  onRenewalFailed(error: unknown): void
  /** Called for each push that waits because its token was refused and may not be replaced yet. */
  onRefusedYoung(token: ProviderToken): void
}

/** The parts of a push that all devices of a message share. */
interface PreparedMessage {
  payload: Buffer
  headersWith(token: ProviderToken): HeaderSet
}

const EXPIRED = 'ExpiredProviderToken'
const TOKEN_EXPIRED: Interpretation = { outcome: { kind: 'token-refused', reason: EXPIRED }, isThrottled: false }
const UNRELATED = 'UnrelatedKeyIdInToken'
const OTHER_CONNECTION: Interpretation = {
  outcome: { kind: 'connection-refused', reason: UNRELATED },
  isThrottled: false,
}
const SENT: Outcome = { kind: 'sent' }
/**
 * The id of the push. From the development service the id of Apple's push console stands behind it, for people.
 * https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
 */
function idsOf({ 'apns-id': id, 'apns-unique-id': uniqueId }: Http2Response['headers']): string | undefined {
  return id !== undefined && uniqueId !== undefined ? `${id} ${uniqueId}` : id
}
const accepted = (id: string | undefined): Interpretation => ({
  outcome: id === undefined ? SENT : { kind: 'sent', id },
  isThrottled: false,
})
const ENVIRONMENT_MISMATCH: Outcome = { kind: 'failed', reason: 'EnvironmentMismatch' }
const NOT_HEXADECIMAL = /[^0-9a-f]/gi

export function apnsSender({
  bundle,
  base,
  connections,
  tokens,
  limiter,
  now,
  ...events
}: ApnsSenderOptions): Sender<PreparedMessage> {
  const headerSets = authorizedSets('bearer')
  return {
    limiter,
    tokens,
    prepare(message) {
      const { payload, headers } = apnsPayload(message, bundle, now())
      return { payload, headersWith: headerSets(headers) }
    },
    send({ target, prepared, token }, signal, ended) {
      const environment = environmentOf(target.environment, base)
      if (!environment) return ENVIRONMENT_MISMATCH
      connections[environment].request(
        {
          path: `/3/device/${target.token.replace(NOT_HEXADECIMAL, '')}`,
          headers: prepared.headersWith(token),
          extra: [['apns-id', target.pushId]],
          body: prepared.payload,
          signal,
        },
        ended,
      )
    },
    responded(result, { target, isReconnected }) {
      if (result.status === 200) return accepted(idsOf(result.headers))
      const response = readResponse(result)
      if (response.reason === EXPIRED) return TOKEN_EXPIRED
      const environment = environmentOf(target.environment, base)
      if (environment && endsConnection(response)) connections[environment].renew(`APNs: ${response.reason}`)
      // Of the first push of a connection with another key. On a connection of its own the key is refused for itself.
      if (response.reason === UNRELATED && !isReconnected) return OTHER_CONNECTION
      return { outcome: apnsOutcome(response, now()), isThrottled: isThrottled(response) }
    },
    // Only our own token was refused, and only for now: the push has to wait.
    refused({ token }, { reason }, renewal) {
      if ('error' in renewal) events.onRenewalFailed(renewal.error)
      const isTooYoung = 'token' in renewal && renewal.token.value === token.value
      if (isTooYoung) events.onRefusedYoung(token)
      return { kind: 'retry', reason, ...(isTooYoung && { notBefore: renewableAt(token) }) }
    },
  }
}

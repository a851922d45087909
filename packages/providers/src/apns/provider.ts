// The provider of one application for APNs: its provider token, connections to Apple's two services, and the limit of pushes in
// flight. Requests go over our own HTTP/2 client; node-apn builds the notifications (payload.ts).
import type { Http2Options } from '@push-server/http2'
import type { Logger } from '@push-server/runtime'
import { sendChunk } from '../chunk-push.ts'
import { createLimiter } from '../concurrency/limiter.ts'
import type { Environment, Provider, ProviderToken, TokenCache } from '../provider.ts'
import { createProvider } from '../provider-lifecycle.ts'
import { openConnections } from './connections.ts'
import { checkTopic, parseApnsKey, type ApnsCredentials } from './credentials.ts'
import { baseEnvironment } from './environment.ts'
import { apnsSender } from './push.ts'
import { createApnsToken } from './token.ts'

const ORIGINS: Readonly<Record<Environment, string>> = {
  production: 'https://api.push.apple.com',
  development: 'https://api.sandbox.push.apple.com',
}
/** Maximum number of streams on one connection, whatever APNs allows. */
const MAX_STREAMS = 1_000

export interface ApnsProviderOptions extends Pick<Http2Options, 'ca' | 'proxy' | 'requestTimeoutMs' | 'transport'> {
  credentials: ApnsCredentials
  tokens: TokenCache
  /** By default Apple's. */
  origins?: Readonly<Record<Environment, string>>
  /** Maximum number of pushes in flight, over all chunks; at least 1. */
  concurrency: number
  /** The environment of devices that name none, in applications that name none. */
  useDevelopment: boolean
  log: Logger
  /** ms since the epoch. */
  now?: () => number
}

function onceForEachToken(report: (token: ProviderToken) => void) {
  let reported: string | undefined
  return (token: ProviderToken) => {
    if (token.value === reported) return
    reported = token.value
    report(token)
  }
}

/** Connects with the first push. Throws InvalidCredentials. */
export function openApnsProvider(options: ApnsProviderOptions): Provider {
  const { credentials, tokens, origins = ORIGINS, concurrency, log, now = Date.now } = options
  const { ca, proxy, requestTimeoutMs, transport } = options
  const key = parseApnsKey(Buffer.from(credentials.privateKey))
  checkTopic(credentials.bundle)
  const most = Math.ceil(concurrency / MAX_STREAMS) || 1
  const open = (origin: string) =>
    openConnections({ origin, ca, proxy, requestTimeoutMs, transport, connections: most, maxStreams: MAX_STREAMS, log })
  const connections = { production: open(origins.production), development: open(origins.development) }
  const both = Object.values(connections)
  const sender = apnsSender({
    bundle: credentials.bundle,
    base: baseEnvironment(credentials.environment, options.useDevelopment),
    connections,
    tokens: createApnsToken({ credentials, key, tokens, now }),
    limiter: createLimiter({
      most: concurrency,
      capacity: () => connections.production.capacity + connections.development.capacity || Infinity,
      now,
      onHeld: (held) => log.warn({ ...held, keyId: credentials.keyId }, 'APNs refuses most pushes, holding all'),
    }),
    now,
    onRenewalFailed: (error) => log.warn({ err: error, keyId: credentials.keyId }, 'APNs token renewal failed'),
    onRefusedYoung: onceForEachToken(({ issuedAt }) =>
      log.error(
        { keyId: credentials.keyId, reason: 'ExpiredProviderToken', ageMs: now() - issuedAt },
        'APNs calls a provider token expired that is not: all pushes wait until it may be replaced; check the clock of the database',
      ),
    ),
  })
  return createProvider({
    now,
    name: 'APNs',
    push: (chunk, pushOptions) => sendChunk(sender, chunk, pushOptions),
    closeConnections: () => Promise.all(both.map((one) => one.close())),
  })
}

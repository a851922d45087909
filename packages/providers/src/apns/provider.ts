// One application's way to APNs: its provider token, a connection to each of Apple's two services, and the bound on what
// is in flight. The bytes go over our own HTTP/2 client; node-apn builds the notifications (payload.ts).
import { openHttp2, type Http2Options } from '@push-server/http2'
import type { Logger } from '@push-server/runtime'
import { pushChunk } from '../chunk-push.ts'
import type { Environment, Provider, TokenCache } from '../provider.ts'
import { providerOf } from '../provider-life.ts'
import { createWindow } from '../window.ts'
import { checkTopic, parseApnsKey, type ApnsCredentials } from './credentials.ts'
import { baseEnvironment } from './environment.ts'
import { apnsRoute } from './push.ts'
import { createApnsToken } from './token.ts'

const ORIGINS: Readonly<Record<Environment, string>> = {
  production: 'https://api.push.apple.com',
  development: 'https://api.sandbox.push.apple.com',
}
/** Of one connection, whatever APNs allows. */
const MAX_STREAMS = 1_000

export interface ApnsProviderOptions extends Pick<Http2Options, 'ca' | 'proxy' | 'requestTimeoutMs' | 'transport'> {
  credentials: ApnsCredentials
  tokens: TokenCache
  /** By default Apple's. */
  origins?: Readonly<Record<Environment, string>>
  /** Most pushes in flight, over all chunks; at least 1. */
  window: number
  /** The environment of devices that name none, in applications that name none. */
  useDevelopment: boolean
  log: Logger
  /** ms since the epoch. */
  now?: () => number
}

/** Connects with the first push. Throws InvalidCredentials. */
export function openApnsProvider(options: ApnsProviderOptions): Provider {
  const { credentials, tokens, origins = ORIGINS, window, log, now = Date.now } = options
  const { ca, proxy, requestTimeoutMs, transport } = options
  const key = parseApnsKey(Buffer.from(credentials.privateKey))
  checkTopic(credentials.bundle)
  const connections = Math.ceil(window / MAX_STREAMS) || 1
  const openClient = (origin: string) =>
    openHttp2({ origin, ca, proxy, requestTimeoutMs, transport, connections, maxStreams: MAX_STREAMS, log })
  const clients = { production: openClient(origins.production), development: openClient(origins.development) }
  const route = apnsRoute({
    bundle: credentials.bundle,
    base: baseEnvironment(credentials.environment, options.useDevelopment),
    clients,
    tokens: createApnsToken({ credentials, key, tokens, now }),
    window: createWindow(window),
    now,
    onRenewalFailed: (error) => log.warn({ err: error, keyId: credentials.keyId }, 'APNs token was not renewed'),
  })
  return providerOf({
    name: 'APNs',
    push: (chunk, pushOptions) => pushChunk(route, chunk, pushOptions),
    release: () => Promise.all([clients.production.close(), clients.development.close()]),
  })
}

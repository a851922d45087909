// The whole way of a worker from a chunk to its outcomes: payload, headers, window, provider token, transport, meaning of the
// response. Each message goes to the 500 devices of its chunk.
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import {
  hmsSecret,
  PROVIDERS,
  type Outcome,
  type Provider,
  type PushChunk,
  type TokenCache,
} from '@push-server/providers'
import { createLogger, readConfig } from '@push-server/runtime'
import { promised, type BenchClient, type ClientOptions, type OpenClient } from '../bench-client.ts'
import { apnsKey, apnsToken, longToken, textOf, TITLE, TOPIC } from '../samples.ts'

const NEVER = new AbortController().signal

const tokens: TokenCache = { take: async (_key, _isFresh, mint) => mint() }

function configFor({ port, caFile, connections, streams }: ClientOptions) {
  const url = `https://localhost:${port}`
  return readConfig({
    APNS_PRODUCTION_URL: url,
    APNS_CA_FILE: caFile,
    APNS_CONCURRENCY: String(connections * streams),
    FCM_BASE_URL: url,
    FCM_TOKEN_URL: `${url}/token`,
    FCM_CA_FILE: caFile,
    FCM_CONCURRENCY: String(connections * streams),
    FCM_CONNECTIONS: String(connections),
    HMS_BASE_URL: url,
    HMS_TOKEN_URL: `${url}/oauth2/v3/token`,
    HMS_CA_FILE: caFile,
    HMS_CONCURRENCY: String(connections),
    LOG_LEVEL: 'error',
  })
}

function chunkOf(first: number, size: number, token: (push: number) => string): PushChunk {
  const body = { title: TITLE, body: textOf(first), extras: { deeplink: 'app://orders' } }
  const pushId = randomUUID()
  return {
    messages: [{ body, silent: false, priority: 'HIGH' }],
    targets: Array.from({ length: size }, (_, place) => ({ token: token(first + place), pushId, message: 0 })),
  }
}

function pushingChunks(provider: Provider, size: number, token: (push: number) => string): BenchClient {
  return {
    batch: size,
    send: promised(async (call) => {
      let accepted = 0
      const settle = (_index: number, { kind }: Outcome) => void (kind === 'sent' && accepted++)
      await provider.push(chunkOf(call * size, size, token), { signal: NEVER, settle })
      return accepted
    }),
    close: () => provider.close(),
  }
}

const serviceAccount = JSON.stringify({
  type: 'service_account',
  project_id: 'bench',
  client_email: 'bench@bench.example',
  private_key: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
})

const context = (options: ClientOptions) => ({
  config: configFor(options),
  log: createLogger({ logLevel: 'error', logPretty: false }, 'bench'),
  tokens,
  now: Date.now,
})

export const apnsProvider: OpenClient = (options) => {
  const stored = {
    appId: 'bench',
    settings: { bundle: TOPIC, keyId: 'ABC123DEFG', teamId: 'TEAM123456' },
    secret: Buffer.from(apnsKey),
  }
  return pushingChunks(PROVIDERS.ios.open(stored, context(options)), 500, apnsToken)
}

export const fcmProvider: OpenClient = (options) => {
  const stored = { appId: 'bench', settings: { projectId: 'bench' }, secret: Buffer.from(serviceAccount) }
  return pushingChunks(PROVIDERS.android.open(stored, context(options)), 500, longToken)
}

export const hmsProvider: OpenClient = (options) => {
  const secret = hmsSecret({ clientId: 'bench', clientSecret: 'bench' })
  const stored = { appId: 'bench', settings: { projectId: 'bench' }, secret }
  return pushingChunks(PROVIDERS.huawei.open(stored, context(options)), 1_000, longToken)
}

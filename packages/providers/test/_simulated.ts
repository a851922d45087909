// What tests of providers against the simulator stand on: a provider opened as a worker opens it, and chunks for it.
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import type { Platform } from '@push-server/contract'
import { createLogger, readConfig } from '@push-server/runtime'
import type { Simulator } from '@push-server/simulator'
import type { Test } from 'tap'
import { hmsSecret, PROVIDERS, type Outcome, type Provider, type PushChunk, type PushTarget } from '../src/index.ts'
import { MemoryTokens, push, transport } from './_pushing.ts'

/** Of the simulator all that is needed, so that it may as well be in another process. */
export type Address = Pick<Simulator, 'apns' | 'fcm' | 'hms'>

const log = createLogger({ logLevel: 'silent', logPretty: false }, 'test')
const pem = { type: 'pkcs8', format: 'pem' } as const
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const account = {
  type: 'service_account',
  project_id: 'my-project',
  private_key: privateKey.export(pem),
  client_email: 'push@my-project.iam.gserviceaccount.com',
}

const CREDENTIALS = {
  ios: {
    settings: { bundle: 'com.example.app', keyId: 'ABC123DEFG', teamId: 'TEAM123456', environment: null },
    secret: Buffer.from(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(pem)),
  },
  android: { settings: { projectId: 'my-project' }, secret: Buffer.from(JSON.stringify(account)) },
  huawei: {
    settings: { projectId: '736430079245' },
    secret: hmsSecret({ clientId: '104', clientSecret: 's3cr3t' }),
  },
} as const satisfies Record<Platform, unknown>

interface Open {
  platform: Platform
  tokens?: MemoryTokens
  environment?: Record<string, string>
}

export function open(test: Test, { apns, fcm, hms }: Address, { platform, tokens, environment }: Open): Provider {
  const caFile = `${test.testdir({ 'ca.pem': apns.ca })}/ca.pem`
  const config = readConfig({
    APNS_PRODUCTION_URL: apns.origin,
    APNS_CA_FILE: caFile,
    FCM_BASE_URL: fcm.origin,
    FCM_TOKEN_URL: fcm.tokenUrl,
    FCM_CA_FILE: caFile,
    HMS_BASE_URL: hms.origin,
    HMS_TOKEN_URL: hms.tokenUrl,
    HMS_CA_FILE: caFile,
    HTTP2_TRANSPORT: transport,
    ...environment,
  })
  const provider = PROVIDERS[platform].open(CREDENTIALS[platform], {
    config,
    log,
    tokens: tokens ?? new MemoryTokens(),
  })
  test.teardown(() => provider.close())
  return provider
}

/** A token that is of any form there is, and has none of the simulator's prefixes. */
export const tokenOf = (index: number) => `a0${index.toString(16).padStart(62, '0')}`
export const targetOf = (token: string, message = 0): PushTarget => ({ token, pushId: randomUUID(), message })

const MESSAGE = { body: { title: 'Hello', body: 'World' }, silent: false, priority: 'HIGH' } as const

/** One message for all. */
export const together = (tokens: readonly string[]): PushChunk => ({
  messages: [MESSAGE],
  targets: tokens.map((token) => targetOf(token)),
})

/** A message for each, so that HMS gets a request for each. */
export const apart = (tokens: readonly string[]): PushChunk => ({
  messages: tokens.map((_, index) => ({ ...MESSAGE, body: { title: String(index), body: 'World' } })),
  targets: tokens.map((token, index) => targetOf(token, index)),
})

/** Pushes once more whatever is to be pushed again, when its time has come. Returns the last outcomes, and how many attempts it took. */
export async function pushUntilSettled(test: Test, provider: Provider, { messages, targets }: PushChunk) {
  const outcomes = new Map<number, Outcome>()
  let left = [...targets.keys()]
  let attempts = 0
  for (; left.length > 0 && attempts < 20; attempts++) {
    const chunk = { messages, targets: targets.filter((_, index) => left.includes(index)) }
    const settled = await push(test, provider, chunk)
    if (settled.size !== left.length) test.fail(`${settled.size} of ${left.length} targets were settled`)
    for (const [place, index] of left.entries()) {
      const outcome = settled.get(place)
      if (outcome) outcomes.set(index, outcome)
    }
    left = left.filter((index) => outcomes.get(index)?.kind === 'retry')
    await timeOf(left.map((index) => outcomes.get(index)))
  }
  return { outcomes, attempts }
}

/** Resolves when the last of them may be tried again: the times are the provider's, and real. */
async function timeOf(outcomes: readonly (Outcome | undefined)[]) {
  const times = outcomes.map((outcome) => (outcome?.kind === 'retry' ? (outcome.notBefore ?? 0) : 0))
  const waitMs = Math.max(...times) - Date.now()
  if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
}

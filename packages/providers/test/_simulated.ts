// What tests of providers against the simulator stand on: a provider opened as a worker opens it, and pushes until all is settled.
import type { Platform } from '@push-server/contract'
import { createLogger, readConfig } from '@push-server/runtime'
import type { Simulator } from '@push-server/simulator'
import type { Test } from 'tap'
import { PROVIDERS, type Outcome, type Provider, type PushChunk } from '../src/index.ts'
import { makeCredentials } from './_credentials.ts'
import { MemoryTokens, push, transport } from './_pushing.ts'

/** Of the simulator all that is needed, so that it may as well be in another process. */
export type Address = Pick<Simulator, 'apns' | 'fcm' | 'hms'>

const log = createLogger({ logLevel: 'silent', logPretty: false }, 'test')
const CREDENTIALS = makeCredentials()

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
    now: Date.now,
  })
  test.teardown(() => provider.close())
  return provider
}

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

// Pushes to a provider with a limit, as fast as our client finds it may; sends what each second brought, and ends. Benchmarks of
// later commits send their orders to it as well (`--against`): members of order and report are added, never renamed.
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { PROVIDERS, type Outcome, type Provider, type ProviderToken, type PushTarget } from '@push-server/providers'
import { createLogger, readConfig } from '@push-server/runtime'

export interface LimitOrder {
  platform: 'ios' | 'android'
  origin: string
  tokenUrl: string
  /** PEM file of the authority to trust. */
  caFile: string
  seconds: number
}

export interface Second {
  sent: number
  refused: number
  held: number
}

export interface LimitReport {
  seconds: Second[]
  cpuMicros: number
  wallMs: number
}

const CHUNK = 500
const CHUNKS_AT_ONCE = 8

function openProvider({ platform, origin, tokenUrl, caFile }: LimitOrder): Provider {
  const config = readConfig({
    APNS_PRODUCTION_URL: origin,
    APNS_CA_FILE: caFile,
    FCM_BASE_URL: origin,
    FCM_TOKEN_URL: tokenUrl,
    FCM_CA_FILE: caFile,
  })
  const log = createLogger({ logLevel: 'silent', logPretty: false }, 'bench')
  return PROVIDERS[platform].open(
    { appId: 'bench', ...CREDENTIALS[platform]() },
    { config, log, tokens: tokensInMemory(), now: Date.now },
  )
}

const PEM = { type: 'pkcs8', format: 'pem' } as const
const CREDENTIALS = {
  ios: () => ({
    settings: { bundle: 'com.example.app', keyId: 'ABC123DEFG', teamId: 'TEAM123456', environment: null },
    secret: Buffer.from(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(PEM)),
  }),
  android: () => ({
    settings: { projectId: 'bench' },
    secret: Buffer.from(
      JSON.stringify({
        type: 'service_account',
        project_id: 'bench',
        client_email: 'bench@bench.iam.gserviceaccount.com',
        private_key: generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export(PEM),
      }),
    ),
  }),
}

function tokensInMemory() {
  const tokens = new Map<string, ProviderToken>()
  return {
    async take(key: string, isFresh: (token: ProviderToken) => boolean, mint: () => Promise<ProviderToken>) {
      const known = tokens.get(key)
      if (known && isFresh(known)) return known
      const minted = await mint()
      tokens.set(key, minted)
      return minted
    },
  }
}

/** Work without end: those that were refused come back when their time has come, the rest is new. */
function createWork() {
  const later: { at: number; target: PushTarget }[] = []
  return {
    putBack(target: PushTarget, { notBefore = Date.now() + 1_000 }: { notBefore?: number }) {
      later.push({ at: notBefore, target })
    },
    take(count: number): PushTarget[] {
      const now = Date.now()
      const due = later.findIndex(({ at }) => at > now)
      const back = later.splice(0, Math.min(count, due < 0 ? later.length : due)).map(({ target }) => target)
      return [...back, ...Array.from({ length: count - back.length }, newTarget)]
    },
  }
}

const newTarget = (): PushTarget => ({ token: randomBytes(32).toString('hex'), pushId: randomUUID(), message: 0 })

const MESSAGE = {
  body: { title: 'Balance', body: 'Your balance is $745.00' },
  silent: false,
  priority: 'HIGH',
} as const

async function pushFor(provider: Provider, seconds: number): Promise<Second[]> {
  const ending = new AbortController()
  const work = createWork()
  const all: Second[] = []
  let second: Second = { sent: 0, refused: 0, held: 0 }

  function settle(target: PushTarget, outcome: Outcome) {
    if (outcome.kind === 'sent') second.sent++
    else if (outcome.kind !== 'retry') throw new Error(`unexpected: ${JSON.stringify(outcome)}`)
    else {
      if (outcome.reason.startsWith('Unsent')) second.held++
      else second.refused++
      work.putBack(target, outcome)
    }
  }

  async function keepPushing() {
    while (!ending.signal.aborted) {
      const targets = work.take(CHUNK)
      await provider.push(
        { messages: [MESSAGE], targets },
        {
          signal: ending.signal,
          settle: (index, outcome) => targets[index] && settle(targets[index], outcome),
        },
      )
    }
  }

  const pushing = Promise.all(Array.from({ length: CHUNKS_AT_ONCE }, keepPushing))
  for (let count = 0; count < seconds; count++) {
    await Promise.race([sleep(1_000), pushing])
    all.push(second)
    second = { sent: 0, refused: 0, held: 0 }
  }
  ending.abort()
  await pushing
  return all
}

const [order] = (await once(process, 'message')) as [LimitOrder]
const provider = openProvider(order)
const startedAt = performance.now()
const cpuBefore = process.cpuUsage()
const seconds = await pushFor(provider, order.seconds)
const { user, system } = process.cpuUsage(cpuBefore)
const report: LimitReport = { seconds, cpuMicros: user + system, wallMs: performance.now() - startedAt }
await provider.close()
process.send?.(report, () => process.exit())

// `npm run bench:pace [-- --quick --rate 5000]`: how much of a provider's limit is used, and how many pushes are refused for it.
// More work than the limit lets through is there at any time; the provider is a simulator in a process of its own.
import { fork, type ChildProcess } from 'node:child_process'
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { PROVIDERS, type Outcome, type Provider, type ProviderToken, type PushTarget } from '@push-server/providers'
import { createLogger, readConfig } from '@push-server/runtime'
import { startSimulator } from '@push-server/simulator'

const LATENCY_MS = { min: 30, max: 70 }
const CHUNK = 500
const CHUNKS_AT_ONCE = 8
/** To find the pace in. */
const WARM_UP_SECONDS = 10
const GOAL = { used: 95, refused: 2 }

type Name = 'ios' | 'android'

/** What the simulator's process tells of it. */
interface Address {
  origin: string
  tokenUrl: string
  ca: string
}

interface Second {
  sent: number
  refused: number
  held: number
}

const print = (line: string) => process.stdout.write(`${line}\n`)

async function simulate(platform: Name, perSecond: number): Promise<void> {
  const simulator = await startSimulator({ keep: 0, latencyMs: LATENCY_MS })
  await simulator.conduct(platform, { rate: { perSecond } })
  const { origin, ca } = platform === 'ios' ? simulator.apns : simulator.fcm
  process.send?.({ origin, ca, tokenUrl: simulator.fcm.tokenUrl } satisfies Address)
  process.on('disconnect', () => process.exit())
}

async function startProvider(platform: Name, rate: number): Promise<{ provider: Provider; child: ChildProcess }> {
  const child = fork(import.meta.filename, ['--simulate', platform, '--rate', String(rate)])
  const [address] = (await once(child, 'message')) as [Address]
  const folder = mkdtempSync(join(tmpdir(), 'bench-pace-'))
  const caFile = join(folder, 'ca.pem')
  writeFileSync(caFile, address.ca)
  const config = readConfig({
    APNS_PRODUCTION_URL: address.origin,
    APNS_CA_FILE: caFile,
    FCM_BASE_URL: address.origin,
    FCM_TOKEN_URL: address.tokenUrl,
    FCM_CA_FILE: caFile,
  })
  const log = createLogger({ logLevel: 'silent', logPretty: false }, 'bench')
  const provider = PROVIDERS[platform].open(CREDENTIALS[platform](), { config, log, tokens: tokensInMemory() })
  rmSync(folder, { recursive: true })
  return { provider, child }
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

const total = (seconds: Second[], of: keyof Second) => seconds.reduce((sum, second) => sum + second[of], 0)

async function measure(platform: Name, rate: number, seconds: number): Promise<boolean> {
  const { provider, child } = await startProvider(platform, rate)
  const startedAt = performance.now()
  const cpuBefore = process.cpuUsage()
  const all = await pushFor(provider, WARM_UP_SECONDS + seconds)
  const { user, system } = process.cpuUsage(cpuBefore)
  const core = ((user + system) / 10 / (performance.now() - startedAt)).toFixed(0)
  await provider.close()
  child.disconnect()

  const measured = all.slice(WARM_UP_SECONDS)
  const used = (100 * total(measured, 'sent')) / (rate * seconds)
  const refused = (100 * total(measured, 'refused')) / (total(measured, 'sent') + total(measured, 'refused'))
  const isMet = used >= GOAL.used && refused < GOAL.refused
  print(`${platform}: sent per second ${all.map(({ sent }) => sent).join(' ')}`)
  print(`${platform}: refused per second ${all.map((each) => each.refused).join(' ')}`)
  print(`${platform}: held back ${total(all, 'held')}; our process took ${core} % of a core`)
  print(
    `${isMet ? '✔' : '✖'} ${platform}: after ${WARM_UP_SECONDS} s, ${used.toFixed(1)} % of ${rate}/s used (at least ` +
      `${GOAL.used}), ${refused.toFixed(2)} % of requests refused (under ${GOAL.refused})`,
  )
  if (used < GOAL.used && refused < GOAL.refused)
    print(
      `  The limit was hardly reached: this machine, with a load of ${loadavg()[0]?.toFixed(1)}, may be the narrower one.`,
    )
  return isMet
}

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, rate: { type: 'string', default: '5000' }, simulate: { type: 'string' } },
})
const rate = Number(values.rate)
if (values.simulate) await simulate(values.simulate as Name, rate)
else {
  print(`A provider that takes ${rate}/s, answers after ${LATENCY_MS.min} to ${LATENCY_MS.max} ms`)
  for (const platform of ['ios', 'android'] as const) {
    if (!(await measure(platform, rate, values.quick ? 15 : 60))) process.exitCode = 1
  }
}

// Starts and stops the whole simulator: one look-alike per provider over shared phones, answers and latency.
import type { Platform } from '@push-server/contract'
import { createAnswers, type ScriptedAnswer } from './answers.ts'
import { createGate, type ApnsKey } from './apns/gate.ts'
import { startApns } from './apns/server.ts'
import { openCertificate } from './certificate.ts'
import type { Context } from './context.ts'
import type { Stats } from './counts.ts'
import { startPage } from './http/server.ts'
import { createLatency, type LatencyMs } from './latency.ts'
import { createLedger } from './ledger.ts'
import type { Phone } from './phones.ts'
import type { Push } from './push.ts'
import { createWaiting, type Condition } from './wait.ts'

export interface SimulatorOptions {
  /** Where everything listens; by default 127.0.0.1. */
  host?: string | undefined
  /** Port of the phones' page and the control calls; 0, the default, takes any. */
  port?: number | undefined
  apnsPort?: number | undefined
  /** Keeps the authority and the certificate here, so that clients trust a restarted simulator; else they are made anew. */
  certificateDir?: string | undefined
  /** Names of this host the certificate is also for, beside localhost. */
  certificateNames?: readonly string[] | undefined
  latencyMs?: LatencyMs | undefined
  /** Streams at a time on one connection; by default 1000. */
  maxStreams?: number | undefined
  /** How many accepted pushes are kept in `pushes`; by default 1000. */
  keep?: number | undefined
  /** Keys that may push; without any, every well-formed token of a sender is admitted. */
  apnsKeys?: readonly ApnsKey[] | undefined
}

export interface Simulator {
  /** The phones' page. */
  readonly url: string
  /** Where to push to, and the authority (PEM) to trust. */
  readonly apns: { readonly origin: string; readonly ca: string }
  readonly pushes: readonly Push[]
  readonly phones: readonly Phone[]
  stats(): Stats
  addPhone(phone: { platform: Platform; token: string; name?: string }): Phone
  addApnsKey(key: ApnsKey): void
  /** Scripts what is answered to a token, or to all tokens that begin so. */
  answer(tokenOrPrefix: string, answer: ScriptedAnswer): void
  /** Forgets what was scripted for this token or prefix, or everything. */
  forgetAnswers(tokenOrPrefix?: string): void
  setLatency(latencyMs: LatencyMs): void
  /** Resolves as soon as the condition holds, rejects after `timeoutMs` (default 5000) or when the simulator stops. */
  waitFor(condition: Condition, timeoutMs?: number): Promise<void>
  /** Cuts all connections and frees everything. May be called twice. */
  stop(): Promise<void>
}

export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { host = '127.0.0.1', port = 0, apnsPort = 0, maxStreams = 1000, keep = 1000, latencyMs = 0 } = options
  const certificate = await openCertificate(certificateNames(host, options.certificateNames), options.certificateDir)
  const context: Context = { ledger: createLedger(keep), answers: createAnswers(), latency: createLatency(latencyMs) }
  const { ledger, answers, latency } = context
  const gate = createGate()
  for (const key of options.apnsKeys ?? []) gate.addKey(key)
  const waiting = createWaiting(ledger)

  const apns = await startApns(context, { host, port: apnsPort, certificate, gate, maxStreams })
  const page = await startPage(context, { host, port }).catch(async (error: unknown) => {
    await apns.stop()
    throw error
  })
  let stopped: Promise<unknown> | undefined

  return {
    url: `http://${reachable(host)}:${page.port}`,
    apns: { origin: `https://${reachable(host)}:${apns.port}`, ca: certificate.ca },
    pushes: ledger.pushes,
    get phones() {
      return ledger.phones()
    },
    stats: ledger.stats,
    addPhone: ledger.addPhone,
    addApnsKey: gate.addKey,
    answer: answers.script,
    forgetAnswers: answers.forget,
    setLatency: latency.set,
    waitFor: waiting.waitFor,
    async stop() {
      waiting.stop()
      stopped ??= Promise.all([page.stop(), apns.stop()])
      await stopped
    },
  }
}

const EVERY_ADDRESS = new Set(['0.0.0.0', '::'])

const reachable = (host: string) => {
  if (EVERY_ADDRESS.has(host)) return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

function certificateNames(host: string, more: readonly string[] = []): string[] {
  const names = ['localhost', '127.0.0.1', '::1', host, ...more]
  return [...new Set(names)].filter((name) => !EVERY_ADDRESS.has(name))
}

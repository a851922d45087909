// Starts and stops the whole simulator: one fake per provider, with shared phones, scripts and latency, and one of PowerAuth Server.
import { PLATFORMS, type Platform } from '@push-server/contract'
import { createScriptedResponses, type ScriptedResponse } from './scripted-responses.ts'
import type { ApnsKey } from './apns/token-verifier.ts'
import { startApns } from './apns/server.ts'
import { openCertificate, type Certificate } from './certificate.ts'
import { createBehaviourControl, type BehaviourControl, type BehaviourSettings } from './behaviour-settings.ts'
import type { Context } from './context.ts'
import type { Stats } from './counts.ts'
import type { FcmAccount } from './fcm/accounts.ts'
import { FCM_TOKEN_PATH, startFcm } from './fcm/server.ts'
import type { HmsAccount } from './hms/accounts.ts'
import type { HmsServiceAccount } from './hms/service-accounts.ts'
import { HMS_TOKEN_PATH, startHms } from './hms/server.ts'
import { startPage } from './http/server.ts'
import { createLatency, type LatencyMs } from './latency.ts'
import { createPushLog } from './push-log.ts'
import type { Phone } from './phones.ts'
import { createDirectory, type Directory } from './power-auth/directory.ts'
import { POWER_AUTH_BASE, startPowerAuth } from './power-auth/server.ts'
import type { Push } from './push.ts'
import { createAccounts, type Accounts } from './accounts.ts'
import { createWaiting, type Condition } from './wait.ts'
import type { Disconnect, Listener } from './wire/listener.ts'

export interface SimulatorOptions {
  /** Address of all servers; by default 127.0.0.1. */
  host?: string | undefined
  /** Port of the phones' page and the control calls; 0, the default, takes any. */
  port?: number | undefined
  apnsPort?: number | undefined
  fcmPort?: number | undefined
  hmsPort?: number | undefined
  powerAuthPort?: number | undefined
  /** Names beside loopback under which the page may be called while it listens on loopback. */
  allowedHosts?: readonly string[] | undefined
  /** Keeps the authority and the certificate here, so that clients trust a restarted simulator; else they are made anew. */
  certificateDir?: string | undefined
  /** Names of this host the certificate is also for, beside localhost. */
  certificateNames?: readonly string[] | undefined
  latencyMs?: LatencyMs | undefined
  /** Streams at a time on one connection to APNs; by default 1000. */
  maxStreams?: number | undefined
  /** Streams at a time on one connection to FCM; by default 100. */
  fcmMaxStreams?: number | undefined
  /** How many accepted pushes are kept in `pushes`; by default 1000. */
  keep?: number | undefined
  /** Keys that may push; without any, every well-formed token of a sender is admitted. */
  apnsKeys?: readonly ApnsKey[] | undefined
}

/** Where to push to, and the authority (PEM) to trust. */
export interface Endpoint {
  readonly origin: string
  readonly ca: string
}
/** `tokenUrl`: where accounts get their access tokens. */
export type OAuthEndpoint = Endpoint & { readonly tokenUrl: string }

/** The fake of PowerAuth Server; its state can be changed while it runs. */
export interface PowerAuth extends Pick<
  Directory,
  'requests' | 'addApplication' | 'addActivation' | 'restrict' | 'serve' | 'behave'
> {
  /** Up to and with `/rest`. */
  readonly url: string
  readonly ca: string
}

export interface Simulator {
  /** The phones' page. */
  readonly url: string
  readonly apns: Endpoint
  readonly fcm: OAuthEndpoint
  readonly hms: OAuthEndpoint
  readonly powerAuth: PowerAuth
  readonly pushes: readonly Push[]
  readonly phones: readonly Phone[]
  stats(): Stats
  addPhone(phone: { platform: Platform; token: string; name?: string }): Phone
  addApnsKey(key: ApnsKey): void
  addFcmAccount(account: FcmAccount): void
  addHmsAccount(account: HmsAccount): void
  addHmsServiceAccount(account: HmsServiceAccount): void
  /** How long access tokens of FCM and HMS are valid that are issued from now on; by default an hour. */
  setTokenLife(ms: number): void
  /** Access tokens of FCM and HMS issued so far are no longer valid. */
  expireTokens(): void
  /** Scripts the response to a token, or to all tokens that begin so. */
  respondTo(tokenOrPrefix: string, response: ScriptedResponse): void
  /** Forgets the scripts of this token or prefix, or all. */
  forgetResponses(tokenOrPrefix?: string): void
  /** Sets the latency of all providers without one of their own. */
  setLatency(latencyMs: LatencyMs): void
  /** Changes how a provider as a whole behaves; members that are left out stay as they are. */
  configure(platform: Platform, settings: BehaviourSettings): Promise<void>
  /** Ends the connections to a provider that are open; by default they are cut. */
  disconnect(platform: Platform, manner?: Disconnect): void
  /** Resolves as soon as the condition holds, rejects after `timeoutMs` (default 5000) or when the simulator stops. */
  waitFor(condition: Condition, timeoutMs?: number): Promise<void>
  /** Cuts all connections and frees everything. May be called twice. */
  stop(): Promise<void>
}

export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { host = '127.0.0.1', keep = 1000, latencyMs = 0 } = options
  const certificate = await openCertificate(certificateNames(host, options.certificateNames), options.certificateDir)
  const context = createContext(keep, latencyMs)
  const { pushLog, responses, latency, controls } = context
  const accounts = createAccounts(options.apnsKeys)
  const waiting = createWaiting(pushLog)
  const directory = createDirectory()
  const { ports, stop } = await startAll({ context, accounts, directory, certificate, host }, options)
  const { ca } = certificate
  const originOf = (port: number) => `https://${reachable(host)}:${port}`
  let stopped: Promise<unknown> | undefined

  return {
    url: `http://${reachable(host)}:${ports.page}`,
    apns: { origin: originOf(ports.apns), ca },
    fcm: { origin: originOf(ports.fcm), tokenUrl: `${originOf(ports.fcm)}${FCM_TOKEN_PATH}`, ca },
    hms: { origin: originOf(ports.hms), tokenUrl: `${originOf(ports.hms)}${HMS_TOKEN_PATH}`, ca },
    powerAuth: { ...directory, url: `${originOf(ports.powerAuth)}${POWER_AUTH_BASE}`, ca },
    pushes: pushLog.pushes,
    get phones() {
      return pushLog.phones()
    },
    stats: pushLog.stats,
    addPhone: pushLog.addPhone,
    addApnsKey: accounts.apns.addKey,
    addFcmAccount: accounts.fcm.accounts.add,
    addHmsAccount: accounts.hms.accounts.add,
    addHmsServiceAccount: accounts.hms.serviceAccounts.add,
    setTokenLife: accounts.setTokenLife,
    expireTokens: accounts.expireTokens,
    respondTo: responses.script,
    forgetResponses: responses.forget,
    setLatency: latency.set,
    configure: (platform, settings) => controls[platform].change(settings),
    disconnect: (platform, manner = 'cut') => controls[platform].disconnect(manner),
    waitFor: waiting.waitFor,
    async stop() {
      waiting.stop()
      stopped ??= stop()
      await stopped
    },
  }
}

function createContext(keep: number, latencyMs: LatencyMs): Context {
  const latency = createLatency(latencyMs)
  const controls = Object.fromEntries(
    PLATFORMS.map((platform) => [platform, createBehaviourControl(platform, latency)]),
  ) as Record<Platform, BehaviourControl>
  return { pushLog: createPushLog(keep), responses: createScriptedResponses(), latency, controls }
}

interface Parts {
  context: Context
  accounts: Accounts
  directory: Directory
  certificate: Certificate
  host: string
}

/** Starts all servers. When one fails to start, the others are stopped. */
async function startAll({ context, accounts, directory, certificate, host }: Parts, options: SimulatorOptions) {
  const { port = 0, apnsPort = 0, fcmPort = 0, hmsPort = 0, powerAuthPort = 0, allowedHosts = [] } = options
  const { maxStreams = 1000, fcmMaxStreams = 100 } = options
  const started: { stop(): Promise<unknown> }[] = []
  const stop = async () => {
    for (const part of started.toReversed()) await part.stop()
  }
  const start = async <T extends { port: number; stop(): Promise<unknown> }>(starting: Promise<T>) => {
    const part = await starting
    started.push(part)
    return part
  }
  const listen = async (platform: Platform, starting: Promise<Listener>) => {
    const listener = await start(starting)
    context.controls[platform].attach(listener)
    return listener.port
  }
  try {
    const addressOf = (port: number) => ({ host, port, certificate })
    const apns = await listen('ios', startApns(context, addressOf(apnsPort), { tokens: accounts.apns, maxStreams }))
    const fcm = await listen(
      'android',
      startFcm(context, addressOf(fcmPort), { ...accounts.fcm, maxStreams: fcmMaxStreams }),
    )
    const hms = await listen('huawei', startHms(context, addressOf(hmsPort), accounts.hms))
    const powerAuth = await start(startPowerAuth(context, addressOf(powerAuthPort), directory))
    const page = await start(startPage(context, { host, port, directory, allowedHosts }))
    return { ports: { apns, fcm, hms, powerAuth: powerAuth.port, page: page.port }, stop }
  } catch (error) {
    await stop()
    throw error
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

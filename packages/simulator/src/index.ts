// Look-alikes of the push services with phones to look at: for `npm start`, tests and benchmarks.
export type { ScriptedAnswer } from './answers.ts'
export type { ApnsKey } from './apns/gate.ts'
export type { Answer, Behaviour, Fault } from './behaviour.ts'
export type { Counts, Stats } from './counts.ts'
export type { FcmAccount } from './fcm/accounts.ts'
export type { HmsAccount } from './hms/accounts.ts'
export type { LatencyMs } from './latency.ts'
export type { Notification, Phone } from './phones.ts'
export { startLoadServer, type LoadServer, type LoadServerOptions } from './load/server.ts'
export { PREFIXES, type Prefix } from './prefixes.ts'
export type { ApnsPush, FcmPush, HmsPush, Push } from './push.ts'
export {
  startSimulator,
  type Endpoint,
  type OAuthEndpoint,
  type Simulator,
  type SimulatorOptions,
} from './simulator.ts'
export type { Condition } from './wait.ts'

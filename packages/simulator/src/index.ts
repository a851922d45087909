// Fakes of the push services, with phones on a page: for `npm start`, tests and benchmarks.
export type { ScriptedResponse } from './scripted-responses.ts'
export type { ApnsKey } from './apns/token-verifier.ts'
export type { Response, Behaviour, FailingBehaviour, Failure } from './behaviour.ts'
export type { BehaviourSettings } from './behaviour-settings.ts'
export type { Counts, Stats } from './counts.ts'
export { examinePush, type Examined, type SentPush } from './examine.ts'
export type { FcmAccount } from './fcm/accounts.ts'
export type { HmsAccount } from './hms/accounts.ts'
export type { HmsServiceAccount } from './hms/service-accounts.ts'
export type { LatencyMs } from './latency.ts'
export type { Notification, Phone } from './phones.ts'
export { startLoadServer, type LoadServer, type LoadServerOptions } from './load/server.ts'
export type {
  PowerAuthActivation,
  PowerAuthBehaviour,
  PowerAuthRequest,
  PowerAuthVersion,
} from './power-auth/directory.ts'
export { PREFIXES, type Prefix } from './token-prefixes.ts'
export type { ApnsPush, FcmPush, HmsPush, Push } from './push.ts'
export type { Rate } from './rate.ts'
export { fakeSettings, powerAuthSettings, simulatorSettings, type FakeAddress } from './settings.ts'
export {
  startSimulator,
  type Endpoint,
  type OAuthEndpoint,
  type PowerAuth,
  type Simulator,
  type SimulatorOptions,
} from './simulator.ts'
export type { Condition } from './wait.ts'
export type { Disconnect } from './wire/listener.ts'

// WHO delivers: one folder per provider. The vendors' libraries stay behind this page.
export { InvalidCredentials } from './credentials.ts'
export { hmsPartsOf, hmsSecret, hmsStored, readHmsAccountFile, type HmsParts } from './hms/index.ts'
export { excessProblem, inexactProblem, PAYLOAD_BYTES, type PayloadProblem } from './payload-limits.ts'
export { rawBlockProblems } from './raw-blocks/of-body.ts'
export type {
  Environment,
  Outcome,
  OutcomeKind,
  Provider,
  ProviderState,
  ProviderToken,
  PushChunk,
  PushMessage,
  PushOptions,
  PushTarget,
  TokenCache,
} from './provider.ts'
export { isAboutToken, STALE } from './provider.ts'
export type {
  ApplicationCredentials,
  DraftDevice,
  PayloadContext,
  ProviderContext,
  ProviderKind,
  PushDraft,
  StoredCredentials,
} from './provider-kind.ts'
export { PROVIDERS } from './registry.ts'
export { runTrial, type Trial } from './trial.ts'

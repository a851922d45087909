// WHAT is kept. Prisma and SQL stay behind this page.
export type { ActivationRow } from './activations.ts'
export type { ApiKeyRow, ApiKeys, ListedApiKey, NewApiKey } from './api-keys.ts'
export { isUnavailable, isConflict, UnconfirmedWrite } from './connection-errors.ts'
export type { ApplicationRow } from './applications.ts'
export type { CampaignDetailRow, CampaignRow, NewCampaign, RunTally } from './campaigns.ts'
export type { DueChunk } from './chunk-claims.ts'
export { UNRECORDABLE, type Records, type Release } from './chunk-records.ts'
export type {
  Claim,
  ClaimedChunk,
  DeadToken,
  DeliveryRecord,
  DeliveryRow,
  MessageRow,
  Obstacle,
  StoredOutcomes,
} from './chunk-row.ts'
export type { CredentialsKey, OpenCredentials } from './credentials.ts'
export {
  BREAKER_REASON,
  BREAKER_RECENT,
  type BreakerCount,
  type BreakerLimits,
  type BreakerState,
} from './circuit-breakers.ts'
export type { DeliveryStatus, MessageHead, StatusCount } from './message-status.ts'
export type { KeyedRequest, StoredChunk } from './message-storing.ts'
export type { Audience, AwaitedChunk, NewChunk, NewDelivery, NewMessage, NewMessages, Recipient } from './messages.ts'
export type { InboxListing, InboxMessageRow, InboxSummaryRow } from './inbox.ts'
export type { DeviceImport, ImportCounts, ImportedRow } from './device-import.ts'
export type { Registration } from './device-rows.ts'
export type { DeviceRow } from './devices.ts'
export type { Listener } from './notifications.ts'
export type { WaitingRow } from './backlog.ts'
export type { PauseRow } from './pauses.ts'
export type { ApplicationQuota, ListedQuota, QuotaChange, QuotaStore, QuotaSubject } from './quotas.ts'
export { migrate, migrateDatabase, type MigrateOptions } from './migrate.ts'
export type { ChangedRecipient } from './recipient-changes.ts'
export type { FannedOutChunk, FanOutOptions } from './run-fan-out.ts'
export { RUNS_CHANNEL, type FanningOutRun, type RunRow, type Started } from './runs.ts'
export {
  OTHER_CONNECTIONS,
  openApiKeyStore,
  openStore,
  type ApiKeyStore,
  type Store,
  type StoreOptions,
} from './store.ts'

// WHAT is kept. Prisma and SQL stay behind this page.
export type { ActivationRow } from './devices/activations.ts'
export type { ApiKeyRow, ApiKeys, ListedApiKey, NewApiKey } from './access/api-keys.ts'
export { isUnavailable, isConflict, UnconfirmedWrite } from './connection/errors.ts'
export type { ApplicationRow } from './applications/applications.ts'
export type { CampaignDetailRow, CampaignRow, NewCampaign, RunTally } from './campaigns/campaigns.ts'
export type { DueChunk, HeldChunk } from './chunks/claims.ts'
export { PASSED, type Claiming } from './chunks/claims.ts'
export { UNRECORDABLE, type ChunkRecord, type Release, type RestOfChunk } from './chunks/records.ts'
export type {
  Claim,
  ClaimedChunk,
  DeadToken,
  DeliveryRecord,
  DeliveryRow,
  MessageRow,
  Obstacle,
  StoredOutcomes,
} from './chunks/row.ts'
export { parseChunkNews, type ChunkNews } from './chunks/chunk-news.ts'
export { UnknownEncryptionKey } from './applications/encryption.ts'
export type { CredentialsKey, KeyUse, OpenCredentials } from './applications/credentials.ts'
export {
  BREAKER_REASON,
  BREAKER_RECENT,
  type BreakerCount,
  type BreakerLimits,
  type BreakerState,
} from './chunks/circuit-breakers.ts'
export type { UsedCredentials } from './chunks/doubtful-tokens.ts'
export type { FailedMessage } from './messages/failed.ts'
export type { KeptMessage, ReachedDevice } from './messages/resends.ts'
export type { WaitingDelivery } from './messages/waiting.ts'
export type { DeliveryStatus, MessageHead, StatusCount } from './messages/status.ts'
export type {
  KeyedRequest,
  NewBatch,
  NewChunk,
  NewDelivery,
  NewKey,
  NewKeyedRequest,
  NewMessage,
  NewRequest,
  Recipient,
  StoredBatch,
  StoredChunk,
} from './messages/batch.ts'
export type { Audience, AudienceQuery, AwaitedChunk, MessageCount } from './messages/messages.ts'
export type { InboxListing } from './inbox/lists.ts'
export type { InboxMessageRow, InboxSummaryRow } from './inbox/row.ts'
export { CampaignGone } from './campaigns/user-import.ts'
export type { ImportedCampaignRow } from './campaigns/campaign-import.ts'
export type { ApplyOptions, DroppedLines, ImportCounts } from './connection/staging.ts'
export type { ImportedInboxRow } from './inbox/import.ts'
export type { ImportedRow } from './devices/import.ts'
export type { Registration } from './devices/registration.ts'
export type { DeviceRow } from './devices/devices.ts'
export type { DeviceEventRow } from './devices/events.ts'
export type { Listener } from './connection/notifications.ts'
export type { WaitingRow } from './chunks/backlog.ts'
export type { PauseRow } from './chunks/pauses.ts'
export type { ApplicationQuota, ListedQuota, QuotaChange, QuotaStore, QuotaSubject } from './access/quotas.ts'
export { migrate, migrateDatabase, type MigrateOptions } from './connection/migrate.ts'
export type { ChangedRecipient } from './chunks/recipient-changes.ts'
export type { AudienceCount, RunAudience } from './campaigns/audiences.ts'
export type { FannedOutChunk, FanOutOptions } from './campaigns/run-fan-out.ts'
export { RUNS_CHANNEL, type FanningOutRun, type RunRow, type Started } from './campaigns/runs.ts'
export {
  OTHER_CONNECTIONS,
  openApiKeyStore,
  openStore,
  type ApiKeyStore,
  type Store,
  type StoreOptions,
} from './store.ts'

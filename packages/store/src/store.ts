// The store: opened once per process, handed down, closed last.
import { openActivationBinding } from './devices/activation-binding.ts'
import { openActivations } from './devices/activations.ts'
import { openApiKeys, type ApiKeys } from './access/api-keys.ts'
import { openApplicationRemovals } from './retention/application-removals.ts'
import { openApplications } from './applications/applications.ts'
import { isAborted, isUnavailable, isDataError } from './connection/errors.ts'
import { openBacklog } from './chunks/backlog.ts'
import { createDatabaseClock, readClock } from './connection/clock.ts'
import { openAudiences } from './campaigns/audiences.ts'
import { openCampaigns } from './campaigns/campaigns.ts'
import { openChunkClaims } from './chunks/claims.ts'
import { openChunkRecords } from './chunks/records.ts'
import { openCredentialChecks } from './applications/credential-checks.ts'
import { openCredentials } from './applications/credentials.ts'
import { openDatabase } from './connection/database.ts'
import { openDatabaseReport } from './connection/report.ts'
import { createWriteFailures } from './connection/write-failures.ts'
import { openCampaignImport } from './campaigns/campaign-import.ts'
import { openUserImport } from './campaigns/user-import.ts'
import { openDeviceImport } from './devices/import.ts'
import { openDeviceRespelling } from './devices/respelling.ts'
import { openDevices } from './devices/devices.ts'
import { openDeviceEvents } from './devices/events.ts'
import { createEncryption } from './applications/encryption.ts'
import { openCircuitBreakers } from './chunks/circuit-breakers.ts'
import { openDoubtfulTokens } from './chunks/doubtful-tokens.ts'
import { openCancelling } from './messages/cancelling.ts'
import { openFailedMessages } from './messages/failed.ts'
import { openMessageStatus } from './messages/status.ts'
import { openResends } from './messages/resends.ts'
import { openWaitingMessages } from './messages/waiting.ts'
import { openMessageStoring } from './messages/storing.ts'
import { openInboxImport } from './inbox/import.ts'
import { openInbox } from './inbox/inbox.ts'
import { openInboxLists } from './inbox/lists.ts'
import { openMessages } from './messages/messages.ts'
import { listen, type ListenOptions } from './connection/notifications.ts'
import { openPauses } from './chunks/pauses.ts'
import { openProviderTokens } from './applications/provider-tokens.ts'
import { openRecipientChanges } from './chunks/recipient-changes.ts'
import { openQuotas, type QuotaStore } from './access/quotas.ts'
import { openRetention } from './retention/retention.ts'
import { openRunChunks } from './chunks/run-chunks.ts'
import { openRunFanOut } from './campaigns/run-fan-out.ts'
import { openRunResults } from './campaigns/run-results.ts'
import { openRuns } from './campaigns/runs.ts'

export interface StoreOptions {
  url: string
  /** Past the pooler that `url` leads to; left out when there is none. For LISTEN and imports. */
  directUrl?: string | undefined
  connections: number
  /** The client's wait for a statement, ms; the server's limits are shorter. */
  timeoutMs?: number
  /** False for a pooler that does not know named statements. */
  namedStatements?: boolean
  /** Base64 of 32 bytes. */
  encryptionKey: string
  encryptionKeysOld?: readonly string[]
  onError(error: Error): void
  /** PostgreSQL stores nothing, for the first time after a while. */
  onUnwritable?(error: Error): void
}

const TOKEN_CONNECTIONS = 3

/**
 * What one process may open beside its pool: a worker those that mint tokens, a gateway one for LISTEN and one for each of two
 * imports.
 */
export const OTHER_CONNECTIONS = TOKEN_CONNECTIONS

/** Connects lazily: an unreachable database shows at the first query. */
export function openStore({ url, directUrl, onUnwritable = () => {}, ...more }: StoreOptions) {
  const writeFailures = createWriteFailures(onUnwritable)
  const options = { ...more, url, pooled: directUrl !== undefined, onWriteFailed: writeFailures.failed }
  const direct = { url: directUrl ?? url, onError: options.onError }
  const database = openDatabase(options)
  // Apart from the others: a transaction that mints a token waits for its provider, and must not keep leases from being renewed.
  const tokenDatabase = openDatabase({ ...options, connections: TOKEN_CONNECTIONS })
  const clock = createDatabaseClock()
  const encryption = createEncryption(options.encryptionKey, options.encryptionKeysOld)
  return {
    connections: database.connections,
    clock: { now: clock.now, offset: clock.offset, read: () => readClock(database, clock) },
    applications: openApplications(database),
    applicationRemovals: openApplicationRemovals(database),
    credentials: openCredentials(database, encryption),
    credentialChecks: openCredentialChecks(database),
    devices: openDevices(database),
    deviceEvents: openDeviceEvents(database),
    openUserImport: () => openUserImport(direct),
    openDeviceImport: () => openDeviceImport(direct),
    openCampaignImport: () => openCampaignImport(direct),
    openInboxImport: () => openInboxImport(direct),
    activations: openActivations(database),
    activationBinding: openActivationBinding(database),
    deviceRespelling: openDeviceRespelling(database),
    apiKeys: openApiKeys(database),
    messages: {
      ...openMessages(database),
      ...openMessageStoring(database),
      ...openMessageStatus(database),
      ...openCancelling(database),
      ...openWaitingMessages(database),
      ...openFailedMessages(database),
      ...openResends(database),
    },
    inbox: { ...openInbox(database), ...openInboxLists(database) },
    chunks: { ...openChunkClaims(database, clock), ...openChunkRecords(database), ...openRecipientChanges(database) },
    campaigns: { ...openCampaigns(database), ...openAudiences(database) },
    runs: { ...openRuns(database), ...openRunFanOut(database), ...openRunResults(database) },
    runChunks: openRunChunks(database),
    pauses: openPauses(database),
    breakers: openCircuitBreakers(database),
    doubts: openDoubtfulTokens(database),
    providerTokens: openProviderTokens(database, tokenDatabase, encryption),
    quotas: openQuotas(database),
    retention: openRetention(database),
    ...openBacklog(database),
    ...openDatabaseReport(database),
    /** Rejects for a while after PostgreSQL could not store a change, whatever it was. It may still read. */
    checkWrites: () => writeFailures.check(),
    isUnavailable,
    isDataError,
    /** For a statement that serves many: whether one of them spoiled it, and whether to run it once more. */
    batchErrors: { isOfOne: isDataError, isContended: isAborted },
    listen: (rest: Omit<ListenOptions, 'url' | 'onError'>) => listen({ ...rest, ...direct }),
    async close() {
      await tokenDatabase.close()
      await database.close()
    },
  }
}
export type Store = ReturnType<typeof openStore>

export interface ApiKeyStore {
  apiKeys: ApiKeys
  quotas: QuotaStore
  close(): Promise<void>
}

/** The keys of the API and the quotas alone, for the command that manages them: the encryption key is none of its business. */
export function openApiKeyStore(options: Pick<StoreOptions, 'url' | 'onError'>): ApiKeyStore {
  const database = openDatabase({ ...options, connections: 1 })
  return { apiKeys: openApiKeys(database), quotas: openQuotas(database), close: () => database.close() }
}

// The store: opened once per process, handed down, closed last.
import { openActivations } from './activations.ts'
import { openApplications } from './applications.ts'
import { isAway, isRefused } from './away.ts'
import { openBacklog } from './backlog.ts'
import { openChunkClaims } from './chunk-claims.ts'
import { openChunkRecords } from './chunk-records.ts'
import { openCredentials } from './credentials.ts'
import { openDatabase } from './database.ts'
import { openDeviceImport } from './device-import.ts'
import { openDevices } from './devices.ts'
import { createEncryption } from './encryption.ts'
import { openMessages } from './messages.ts'
import { listen, type ListenOptions } from './notifications.ts'
import { openPauses } from './pauses.ts'
import { openProviderTokens } from './provider-tokens.ts'

export interface StoreOptions {
  url: string
  connections: number
  /** Base64 of 32 bytes. */
  encryptionKey: string
  encryptionKeysOld?: readonly string[]
  onError(error: Error): void
}

const TOKEN_CONNECTIONS = 3

/** Connects lazily: an unreachable database shows at the first query. */
export function openStore(options: StoreOptions) {
  const database = openDatabase(options)
  // Apart from the others: whoever mints a token asks a provider meanwhile, and must not keep leases from being renewed.
  const tokenDatabase = openDatabase({ ...options, connections: TOKEN_CONNECTIONS })
  const encryption = createEncryption(options.encryptionKey, options.encryptionKeysOld)
  return {
    applications: openApplications(database),
    credentials: openCredentials(database, encryption),
    devices: openDevices(database),
    openDeviceImport: (applicationId: number) => openDeviceImport(applicationId, options),
    activations: openActivations(database),
    messages: openMessages(database),
    chunks: { ...openChunkClaims(database), ...openChunkRecords(database) },
    pauses: openPauses(database),
    providerTokens: openProviderTokens(tokenDatabase, encryption),
    ...openBacklog(database),
    isAway,
    isRefused,
    listen: (rest: Omit<ListenOptions, 'url' | 'onError'>) =>
      listen({ ...rest, url: options.url, onError: options.onError }),
    async close() {
      await tokenDatabase.close()
      await database.close()
    },
  }
}
export type Store = ReturnType<typeof openStore>

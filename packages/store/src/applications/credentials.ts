// Credentials of an application on a platform. The secret part leaves this file in clear only through `open`.
import type { Platform } from '@push-server/contract'
import type { Database, Queryable } from '../connection/database.ts'
import { UnknownEncryptionKey, type Encryption } from './encryption.ts'
import { resume } from '../chunks/pauses.ts'
import { statement } from '../connection/statement.ts'

/** What a provider is opened with. */
export interface OpenCredentials {
  /** The application as its administrators know it. */
  appId: string
  version: number
  settings: Readonly<Record<string, string | null>>
  secret: Buffer
}

/** Which application and platform a row belongs to. */
export interface CredentialsKey {
  applicationId: number
  platform: Platform
}

const PUT = statement({
  name: 'credentials-put',
  text: `INSERT INTO credentials (application_id, platform, settings, secret, key_id)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (application_id, platform) DO UPDATE SET settings = excluded.settings, secret = excluded.secret,
      key_id = excluded.key_id, version = nextval('credentials_version_seq'), updated_at = now()`,
})

const OPEN = statement({
  name: 'credentials-open',
  text: `SELECT a.app_id, k.version, k.settings, k.secret, k.key_id
    FROM credentials k JOIN applications a ON a.id = k.application_id WHERE k.application_id = $1 AND k.platform = $2`,
  notNull: { app_id: 'an application loses its name and its credentials in one transaction' },
}).narrow<Pick<OpenCredentials, 'settings'>>()

/** Locked: of two changes at once the second one sees the first. */
const LOCK = statement({
  name: 'credentials-lock',
  text: `SELECT k.settings, k.secret, k.key_id FROM credentials k WHERE k.application_id = $1 AND k.platform = $2 FOR UPDATE`,
}).narrow<Pick<OpenCredentials, 'settings'>>()

const REMOVE = statement({
  name: 'credentials-remove',
  text: 'DELETE FROM credentials WHERE application_id = $1 AND platform = $2',
})

const COUNT_KEYS = statement({
  name: 'credentials-keys',
  text: 'SELECT key_id AS "keyId", count(*)::int AS credentials FROM credentials GROUP BY key_id ORDER BY key_id',
  notNull: { credentials: 'count is never null' },
})

/** How many stored credentials each key has encrypted: with keys that are configured here, and with others. */
export interface KeyUse {
  readable: number
  unknown: { keyId: string; credentials: number }[]
}

async function readKeyUse(connection: Queryable, encryption: Encryption): Promise<KeyUse> {
  const rows = await connection.query(COUNT_KEYS)
  const readable = rows.filter(({ keyId }) => encryption.knows(keyId))
  return {
    readable: readable.reduce((sum, { credentials }) => sum + credentials, 0),
    unknown: rows.filter(({ keyId }) => !encryption.knows(keyId)),
  }
}

/** Names the row to the encryption, so that a secret copied to another row does not open there. */
const rowName = ({ applicationId, platform }: CredentialsKey) => `credentials/${applicationId}/${platform}`

type NewCredentials = Pick<OpenCredentials, 'settings' | 'secret'>

/** Credentials whose secret is decrypted only when it is needed. */
export interface StoredCredentials extends Pick<OpenCredentials, 'settings'> {
  /** Throws UnknownEncryptionKey. */
  open(): Buffer
}

async function putOnce(
  connection: Queryable,
  encryption: Encryption,
  { key, credentials }: { key: CredentialsKey; credentials: NewCredentials },
): Promise<void> {
  const sealed = encryption.seal(credentials.secret, rowName(key))
  const { readable, unknown } = await readKeyUse(connection, encryption)
  if (readable === 0 && unknown.length > 0)
    throw new UnknownEncryptionKey('The stored credentials were encrypted with keys that are not configured')
  const settings = JSON.stringify(credentials.settings)
  await connection.query(PUT, [key.applicationId, key.platform, settings, sealed.value, sealed.keyId])
  await resume(connection, key)
}

export const openCredentials = (database: Database, encryption: Encryption) => ({
  /** Read from the database each time: another process may have stored some. */
  keyUse: () => readKeyUse(database, encryption),

  /**
   * Creates or replaces. New credentials end the pauses of the platform. Rejects with UnknownEncryptionKey while none of those that are
   * stored can be read here: no other process could read what is encrypted with this key.
   */
  async put(key: CredentialsKey, credentials: NewCredentials): Promise<void> {
    await database.transaction((connection) => putOnce(connection, encryption, { key, credentials }))
  },

  /**
   * Replaces what is stored by what `change` makes of it; undefined removes it. Null and an error that it throws change nothing. Its
   * argument is undefined where nothing is stored. Rejects like `put`.
   */
  async change(
    key: CredentialsKey,
    change: (stored: StoredCredentials | undefined) => NewCredentials | null | undefined,
  ): Promise<void> {
    await database.transaction(async (connection) => {
      const [row] = await connection.query(LOCK, [key.applicationId, key.platform])
      const stored = row && {
        settings: row.settings,
        open: () => encryption.open({ value: row.secret, keyId: row.key_id }, rowName(key)),
      }
      const credentials = change(stored)
      if (credentials === null) return
      if (credentials) return putOnce(connection, encryption, { key, credentials })
      await connection.query(REMOVE, [key.applicationId, key.platform])
      await resume(connection, key)
    })
  },

  /** Ends a pause too: what waited comes due and fails for want of credentials. */
  async remove(key: CredentialsKey): Promise<void> {
    const row = [key.applicationId, key.platform] as const
    await database.transaction(async (connection) => {
      await connection.query(REMOVE, row)
      await resume(connection, key)
    })
  },

  async open(key: CredentialsKey): Promise<OpenCredentials | undefined> {
    const [row] = await database.query(OPEN, [key.applicationId, key.platform])
    if (!row) return undefined
    const secret = encryption.open({ value: row.secret, keyId: row.key_id }, rowName(key))
    return { appId: row.app_id, version: row.version, settings: row.settings, secret }
  },
})
export type CredentialsStore = ReturnType<typeof openCredentials>

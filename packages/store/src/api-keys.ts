// API keys: single rows, so Prisma. Revoked rows stay: that there has ever been a key is what keeps authentication on.
import type { Scope } from '@push-server/contract'
import type { Database, Statement } from './database.ts'
import type { QuotaValues } from './quotas.ts'

export interface NewApiKey {
  id: string
  name: string
  /** SHA-256 of the key's whole text. */
  hash: Uint8Array<ArrayBuffer>
  scopes: readonly Scope[]
  /** The applications that it may name; empty = any. */
  appIds: readonly string[]
}

export interface ApiKeyRow extends NewApiKey {
  lastUsedAt: Date | null
  /** Null: as the settings say. */
  quota: Pick<QuotaValues, 'messagesPerSecond' | 'burst'> | null
}

export interface ListedApiKey extends Omit<ApiKeyRow, 'hash' | 'quota'> {
  createdAt: Date
  revokedAt: Date | null
}

const INSERT_FIRST: Statement = {
  name: 'api-key-insert-first',
  text: `INSERT INTO api_keys (id, name, hash, scopes, app_ids)
    SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS (SELECT FROM api_keys)
    ON CONFLICT (id) DO NOTHING RETURNING id`,
}

/** Of several gateways that start at once, all but the first wait until its key is there to be seen. */
const LOCK: Statement = { name: 'api-key-lock', text: "SELECT pg_advisory_xact_lock(hashtextextended('api_keys', 2))" }

const LISTED = {
  id: true,
  name: true,
  scopes: true,
  appIds: true,
  createdAt: true,
  lastUsedAt: true,
  revokedAt: true,
} as const

const FOUND = {
  id: true,
  name: true,
  hash: true,
  scopes: true,
  appIds: true,
  lastUsedAt: true,
  quota: { select: { messagesPerSecond: true, burst: true } },
} as const

const copied = ({ scopes, appIds, ...rest }: NewApiKey) => ({ ...rest, scopes: [...scopes], appIds: [...appIds] })

export const openApiKeys = ({ prisma, transaction }: Database) => ({
  /** Undefined when there is none of this id, or it is revoked. */
  async find(id: string): Promise<ApiKeyRow | undefined> {
    const row = await prisma.apiKey.findFirst({
      where: { id, revokedAt: null },
      select: FOUND,
    })
    return (row ?? undefined) as ApiKeyRow | undefined
  },

  /** Whether there has ever been a key. */
  async exist(): Promise<boolean> {
    return (await prisma.apiKey.findFirst({ select: { id: true } })) !== null
  },

  async create(key: NewApiKey): Promise<void> {
    await prisma.apiKey.create({ data: copied(key) })
  },

  /** False, and nothing is changed, when there has ever been a key. */
  createFirst: (key: NewApiKey): Promise<boolean> =>
    transaction(async (connection) => {
      await connection.query(LOCK)
      const values = [key.id, key.name, key.hash, key.scopes, key.appIds]
      return (await connection.query(INSERT_FIRST, values)).length > 0
    }),

  /** Which of these are no applications. */
  async unknownApplications(appIds: readonly string[]): Promise<string[]> {
    const found = await prisma.application.findMany({ where: { appId: { in: [...appIds] } }, select: { appId: true } })
    const known = new Set(found.map(({ appId }) => appId))
    return appIds.filter((appId) => !known.has(appId))
  },

  /** Notes a use, unless one has been noted since `before`. */
  async touch(id: string, before: Date): Promise<void> {
    await prisma.apiKey.updateMany({
      where: { id, OR: [{ lastUsedAt: null }, { lastUsedAt: { lt: before } }] },
      data: { lastUsedAt: new Date() },
    })
  },

  async list(): Promise<ListedApiKey[]> {
    const rows = await prisma.apiKey.findMany({ select: LISTED, orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] })
    return rows as ListedApiKey[]
  },

  /** False when there is none of this id that is not revoked yet. */
  async revoke(id: string): Promise<boolean> {
    const { count } = await prisma.apiKey.updateMany({
      where: { id, revokedAt: null },
      data: { revokedAt: new Date() },
    })
    return count > 0
  },
})
export type ApiKeys = ReturnType<typeof openApiKeys>

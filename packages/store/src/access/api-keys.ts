// API keys. Revoked rows stay: that there has ever been a key is what keeps authentication on. A key is bound to the rows of
// its applications; their names stand beside them for processes of earlier versions.
import type { Scope } from '@push-server/contract'
import type { Database } from '../connection/database.ts'
import type { QuotaValues } from './quotas.ts'
import { statement } from '../connection/statement.ts'

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

const INSERT_FIRST = statement({
  name: 'api-key-insert-first',
  text: `INSERT INTO api_keys (id, name, hash, scopes, app_ids)
    SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS (SELECT FROM api_keys)
    ON CONFLICT (id) DO NOTHING RETURNING id`,
})

const TOUCH = statement({
  name: 'api-key-touch',
  text: `UPDATE api_keys SET last_used_at = now()
    WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - $2 * interval '1 ms')`,
})

const REVOKE = statement({
  name: 'api-key-revoke',
  text: 'UPDATE api_keys SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING id',
})

/**
 * The names are those of living applications. Without a row that it is bound to, a key comes from a process of an earlier
 * version: an application of the name was there before it, or is another one.
 */
const FIND = statement({
  name: 'api-key-find',
  text: `SELECT k.id, k.name, k.hash, k.scopes, k.last_used_at AS "lastUsedAt", cardinality(k.app_ids) > 0 AS "isBound",
      ARRAY(SELECT a.app_id FROM api_key_applications b JOIN applications a ON a.id = b.application_id
          WHERE b.key_id = k.id AND a.app_id IS NOT NULL
        UNION ALL
        SELECT a.app_id FROM applications a WHERE a.app_id = ANY(k.app_ids) AND a.created_at <= k.created_at
          AND NOT EXISTS (SELECT FROM api_key_applications b WHERE b.key_id = k.id)
        ORDER BY 1) AS "appIds",
      (SELECT json_build_object('messagesPerSecond', q.messages_per_second, 'burst', q.burst) FROM quotas q WHERE q.key_id = k.id)
        AS quota
    FROM api_keys k WHERE k.id = $1 AND k.revoked_at IS NULL`,
  notNull: { isBound: 'app_ids is never null', appIds: 'ARRAY of a query is never null' },
}).narrow<Pick<ApiKeyRow, 'scopes' | 'appIds' | 'quota'>>()

/** All or nothing; the applications are locked, so that none of them is removed meanwhile. Returns the names that are of no application. */
const INSERT = statement({
  name: 'api-key-insert',
  text: `WITH named AS (SELECT id, app_id FROM applications WHERE app_id = ANY($5) FOR KEY SHARE),
    made AS (
      INSERT INTO api_keys (id, name, hash, scopes, app_ids)
      SELECT $1, $2, $3, $4, $5::text[] WHERE (SELECT count(*) FROM named) = cardinality($5::text[]) RETURNING id),
    bound AS (
      INSERT INTO api_key_applications (key_id, application_id) SELECT made.id, named.id FROM made, named)
    SELECT given.name FROM unnest($5::text[]) WITH ORDINALITY AS given (name, place)
    WHERE given.name NOT IN (SELECT app_id FROM named) ORDER BY place`,
  notNull: { name: 'names are given without nulls' },
})

/** Of several gateways that start at once, all but the first wait until its key is there to be seen. */
const LOCK = statement({ name: 'api-key-lock', text: "SELECT pg_advisory_xact_lock(hashtextextended('api_keys', 2))" })

const LISTED = {
  id: true,
  name: true,
  scopes: true,
  appIds: true,
  createdAt: true,
  lastUsedAt: true,
  revokedAt: true,
} as const

const valuesOf = ({ id, name, hash, scopes, appIds }: NewApiKey) => [id, name, hash, scopes, appIds] as const

export const openApiKeys = ({ prisma, query, transaction }: Database) => ({
  /** Undefined when there is none of this id, when it is revoked, and when none of its applications is left. */
  async find(id: string): Promise<ApiKeyRow | undefined> {
    const [row] = await query(FIND, [id])
    if (!row) return undefined
    const { isBound, ...key } = row
    return isBound && key.appIds.length === 0 ? undefined : key
  },

  /** Whether there has ever been a key. */
  async exist(): Promise<boolean> {
    return (await prisma.apiKey.findFirst({ select: { id: true } })) !== null
  },

  /** Resolves with the names that are of no application; no key is made then. `appIds` names each application once. */
  async create(key: NewApiKey): Promise<string[]> {
    return (await query(INSERT, valuesOf(key))).map(({ name }) => name)
  },

  /** False, and nothing is changed, when there has ever been a key. */
  createFirst: (key: NewApiKey): Promise<boolean> =>
    transaction(async (connection) => {
      await connection.query(LOCK)
      return (await connection.query(INSERT_FIRST, valuesOf(key))).length > 0
    }),

  /** Notes a use, unless one was noted less than `everyMs` ago. */
  async touch(id: string, everyMs: number): Promise<void> {
    await query(TOUCH, [id, everyMs])
  },

  async list(): Promise<ListedApiKey[]> {
    const rows = await prisma.apiKey.findMany({ select: LISTED, orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] })
    return rows as ListedApiKey[]
  },

  /** False when there is none of this id that is not revoked yet. */
  async revoke(id: string): Promise<boolean> {
    return (await query(REVOKE, [id])).length > 0
  },
})
export type ApiKeys = ReturnType<typeof openApiKeys>

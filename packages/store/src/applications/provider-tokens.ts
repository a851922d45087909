// Provider tokens, shared by all workers: the first worker that needs one mints it, the others find it here.
import type { Database, Queryable } from '../connection/database.ts'
import type { Encryption } from './encryption.ts'
import { MINTING } from '../connection/time-limits.ts'
import { statement } from '../connection/statement.ts'

interface ProviderToken {
  value: string
  issuedAt: number
  expiresAt: number
}

const LOCK = statement({ name: 'token-lock', text: 'SELECT pg_advisory_xact_lock(hashtextextended($1, 1))' })

const FIND = statement({
  name: 'token-find',
  text: 'SELECT value, key_id, issued_at, expires_at FROM provider_tokens WHERE key = $1',
})

const PUT = statement({
  name: 'token-put',
  text: `INSERT INTO provider_tokens (key, value, key_id, issued_at, expires_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, key_id = excluded.key_id,
      issued_at = excluded.issued_at, expires_at = excluded.expires_at`,
})

interface TokenRow {
  value: Buffer
  key_id: string
  issued_at: Date
  expires_at: Date
}

const rowName = (key: string) => `provider_tokens/${key}`

/** `minting`: connections of its own, because a transaction that mints keeps one while a token endpoint takes its time. */
export const openProviderTokens = (database: Database, minting: Database, encryption: Encryption) => {
  /** Undefined when the key it was sealed with is gone: a token can be had again, unlike other secrets. */
  function read(key: string, row: TokenRow): ProviderToken | undefined {
    if (!encryption.knows(row.key_id)) return undefined
    return {
      value: encryption.open({ value: row.value, keyId: row.key_id }, rowName(key)).toString('utf8'),
      issuedAt: row.issued_at.getTime(),
      expiresAt: row.expires_at.getTime(),
    }
  }

  async function find(connection: Queryable, key: string): Promise<ProviderToken | undefined> {
    const [row] = await connection.query(FIND, [key])
    return row && read(key, row)
  }

  return {
    /**
     * The token under `key`: the stored one when `isFresh` accepts it, else one newly minted and stored. One caller mints at
     * a time, over all processes; the lock is held meanwhile, so `mint` must be bounded. Rejects when minting does.
     */
    async take(
      key: string,
      isFresh: (token: ProviderToken) => boolean,
      mint: () => Promise<ProviderToken>,
    ): Promise<ProviderToken> {
      // Without the lock first: a token that is stored does not wait for others whose endpoint does not respond.
      const known = await find(database, key)
      if (known && isFresh(known)) return known
      return minting.transaction(async (connection) => {
        await connection.query(LOCK, [key])
        const stored = await find(connection, key)
        if (stored && isFresh(stored)) return stored
        const minted = await mint()
        const { value, keyId } = encryption.seal(minted.value, rowName(key))
        await connection.query(PUT, [key, value, keyId, new Date(minted.issuedAt), new Date(minted.expiresAt)])
        return minted
      }, MINTING)
    },
  }
}
export type ProviderTokens = ReturnType<typeof openProviderTokens>

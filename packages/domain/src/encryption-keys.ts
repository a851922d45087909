// Whether this process has the keys that the stored credentials were encrypted with: compared at the start and with each health check.
import { ConfigError, type Logger, type Part } from '@push-server/runtime'
import type { KeyUse, Store } from '@push-server/store'

type KeyStore = { credentials: Pick<Store['credentials'], 'keyUse'> }

const listOf = ({ unknown }: KeyUse) =>
  unknown.map(({ keyId, credentials }) => `${keyId} (${credentials} credentials)`).join(', ')

/** Throws a ConfigError when none of the stored credentials can be read; logs it when only some of them can. */
export async function checkEncryptionKeys(store: KeyStore, log: Pick<Logger, 'error'>): Promise<void> {
  const use = await store.credentials.keyUse()
  if (use.unknown.length === 0) return
  if (use.readable === 0)
    throw new ConfigError(
      `ENCRYPTION_KEY: the stored credentials were encrypted with other keys: ${listOf(use)}. ` +
        'Give the key that they were encrypted with, here or in ENCRYPTION_KEYS_OLD.',
    )
  log.error({ unknown: use.unknown }, 'credentials encrypted with keys that are not configured')
}

/** Health part: down while there are stored credentials that this process cannot read. */
export const encryptionKeysPart = ({ store }: { store: KeyStore }, essential: boolean): Part => ({
  name: 'encryption keys',
  essential,
  async check() {
    const use = await store.credentials.keyUse()
    if (use.unknown.length > 0)
      throw new Error(`credentials were encrypted with keys that are not configured: ${listOf(use)}`)
  },
})

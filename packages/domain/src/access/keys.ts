// Making API keys. Their text leaves here once, and is kept nowhere.
import { SCOPES, type Scope } from '@push-server/contract'
import type { ApiKeys } from '@push-server/store'
import { generateKey, hashKey, writeKey, type KeyText } from './key-text.ts'

export interface KeyRequest {
  name: string
  scopes: readonly Scope[]
  /** Empty = any application. */
  appIds: readonly string[]
}

/** Resolves with the text of the new key, or with the applications that do not exist; then no key is created. */
export async function createApiKey(
  apiKeys: Pick<ApiKeys, 'create'>,
  { appIds, ...request }: KeyRequest,
): Promise<{ text: string } | { unknown: string[] }> {
  const key = generateKey()
  const unknown = await apiKeys.create({ ...request, appIds: [...new Set(appIds)], id: key.id, hash: hashKey(key) })
  return unknown.length > 0 ? { unknown } : { text: writeKey(key) }
}

/** Creates a key for everything, unless there has ever been a key; then it resolves with false. */
export const createBootstrapKey = (apiKeys: Pick<ApiKeys, 'createFirst'>, key: KeyText): Promise<boolean> =>
  apiKeys.createFirst({ id: key.id, hash: hashKey(key), name: 'bootstrap', scopes: SCOPES, appIds: [] })

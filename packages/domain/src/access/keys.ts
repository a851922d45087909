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

/** Answers the text of the new key, or which of the applications do not exist; nothing is made then. */
export async function createApiKey(
  apiKeys: Pick<ApiKeys, 'create'>,
  { appIds, ...request }: KeyRequest,
): Promise<{ text: string } | { unknown: string[] }> {
  const key = generateKey()
  const unknown = await apiKeys.create({ ...request, appIds: [...new Set(appIds)], id: key.id, hash: hashKey(key) })
  return unknown.length > 0 ? { unknown } : { text: writeKey(key) }
}

/** A key for everything, if there has never been any. False when there has. */
export const createBootstrapKey = (apiKeys: Pick<ApiKeys, 'createFirst'>, key: KeyText): Promise<boolean> =>
  apiKeys.createFirst({ id: key.id, hash: hashKey(key), name: 'bootstrap', scopes: SCOPES, appIds: [] })

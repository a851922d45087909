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

/** Answers the text of the new key. */
export async function createApiKey(apiKeys: Pick<ApiKeys, 'create'>, request: KeyRequest): Promise<string> {
  const key = generateKey()
  await apiKeys.create({ ...request, id: key.id, hash: hashKey(key) })
  return writeKey(key)
}

/** A key for everything, if there has never been any. False when there has. */
export const createBootstrapKey = (apiKeys: Pick<ApiKeys, 'createFirst'>, key: KeyText): Promise<boolean> =>
  apiKeys.createFirst({ id: key.id, hash: hashKey(key), name: 'bootstrap', scopes: SCOPES, appIds: [] })

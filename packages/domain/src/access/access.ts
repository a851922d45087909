// The lock: whether callers are asked for a key, and what the key that they show allows.
import { forbidden, unauthorized, type Scope } from '@push-server/contract'
import type { Config, Logger } from '@push-server/runtime'
import type { ApiKeyRow, Store } from '@push-server/store'
import { createKeyCache, FRESH_MS, type IsSuspect } from './key-cache.ts'
import { isKeyOf, presentedKey } from './key-text.ts'

/** Uses are noted once in a while, not for each request. */
const NOTED_EVERY_MS = 3_600_000

const nobodyIs: IsSuspect = async () => false

const MISSING = 'An API key is wanted: as Authorization: Bearer <id>.<secret>, or as Basic with id and secret'
const INVALID = 'This API key is not valid'

/** What a 401 tells about how to come in: browsers ask for user and password, programs know what to send. */
export const CHALLENGES = ['Bearer realm="push-server"', 'Basic realm="push-server", charset="UTF-8"'] as const

/** Whose key a request came with. */
export type Caller = Pick<ApiKeyRow, 'id' | 'name' | 'scopes' | 'appIds' | 'quota'>

export interface Admission {
  /** The Authorization header, if there is one. */
  authorization: string | undefined
  scope: Scope
  /** Little is done to find the key of a suspect, unless it is in use here. */
  isSuspect?: IsSuspect
}

export interface Access {
  /** Whether callers are asked for a key. */
  isOn(): Promise<boolean>
  /** Who calls; undefined while nobody is asked. Refuses with 401 whoever has no valid key, with 403 one without the scope. */
  admit(admission: Admission): Promise<Caller | undefined>
  /** Keys have changed in this process: they count from now on, not only within ten seconds. */
  forget(): void
}

export interface AccessOptions {
  config: Pick<Config, 'auth'>
  store: Pick<Store, 'apiKeys' | 'isUnavailable'>
  log: Logger
  /** Milliseconds on a clock that never goes back. */
  now?: () => number
}

export function openAccess({ config, store, log, now = () => performance.now() }: AccessOptions): Access {
  const { apiKeys, isUnavailable } = store
  const keys = createKeyCache({ find: (id) => apiKeys.find(id), isUnavailable, now })
  const isOn = createSwitch({ config, store, log, now })

  async function noteUse(row: ApiKeyRow): Promise<void> {
    const before = new Date(Date.now() - NOTED_EVERY_MS)
    if (row.lastUsedAt && row.lastUsedAt > before) return
    // At once, and in the row that other requests share: one of them is enough.
    row.lastUsedAt = new Date()
    await apiKeys.touch(row.id, before).catch((error: unknown) => {
      log.warn({ err: error, key: row.id }, 'the use of a key could not be noted')
    })
  }

  return {
    isOn,
    forget: () => keys.forget(),
    async admit({ authorization, scope, isSuspect = nobodyIs }) {
      if (!(await isOn())) return undefined
      if (authorization === undefined) throw unauthorized(MISSING)
      const key = presentedKey(authorization)
      const row = key && (await keys.find(key.id, isSuspect))
      if (!row || !isKeyOf(row.hash, key)) throw unauthorized(INVALID)
      if (!row.scopes.includes(scope)) throw forbidden(`This API key has not the scope ${scope}`)
      await noteUse(row)
      return row
    },
  }
}

/**
 * Whether keys are asked for. Left to itself it goes on as soon as there is a key, and never off again: a revoked key counts
 * as well, so revoking the last one does not open the door.
 */
function createSwitch({ config, store, log, now }: Required<AccessOptions>): () => Promise<boolean> {
  if (config.auth !== undefined) return async () => config.auth === 'keys'
  let isOn = false
  let refreshedAt: number | undefined
  let refreshing: Promise<void> | undefined

  async function refresh(): Promise<void> {
    try {
      isOn = await store.apiKeys.exist()
      refreshedAt = now()
      if (isOn) log.info('callers are asked for an API key from now on')
    } catch (error) {
      // As it was; but if nobody has ever looked, it is not known to be open.
      if (refreshedAt === undefined || !store.isUnavailable(error)) throw error
    } finally {
      refreshing = undefined
    }
  }

  return async () => {
    if (!isOn && (refreshedAt === undefined || now() - refreshedAt >= FRESH_MS)) await (refreshing ??= refresh())
    return isOn
  }
}

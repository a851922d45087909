// Access: whether callers need an API key, and what their key permits.
import { forbidden, unauthorized, type Scope } from '@push-server/contract'
import type { Config, Logger } from '@push-server/runtime'
import type { ApiKeyRow, Store } from '@push-server/store'
import { createKeyCache, FRESH_MS, type IsSuspect } from './key-cache.ts'
import { isKeyOf, presentedKey } from './key-text.ts'

/** The last use of a key is recorded once in this time, not for each request. */
const USE_RECORDED_EVERY_MS = 3_600_000

const noSuspect: IsSuspect = async () => false

const MISSING = 'An API key is required: as Authorization: Bearer <id>.<secret>, or as Basic with id and secret'
const INVALID = 'This API key is not valid'

/** The challenges of a 401: browsers prompt for user and password, programs learn which header to send. */
export const CHALLENGES = ['Bearer realm="push-server"', 'Basic realm="push-server", charset="UTF-8"'] as const

/** Whose key a request came with. */
export type Caller = Pick<ApiKeyRow, 'id' | 'name' | 'scopes' | 'appIds' | 'quota'>

export interface Admission {
  /** The Authorization header, if there is one. */
  authorization: string | undefined
  scope: Scope
  /** A suspect's key is searched for with a bounded effort, unless it is cached. */
  isSuspect?: IsSuspect
}

export interface Access {
  /** Whether callers need a key. */
  isOn(): Promise<boolean>
  /** The caller; undefined while no key is required. Refuses with 401 a missing or invalid key, with 403 a key without the scope. */
  admit(admission: Admission): Promise<Caller | undefined>
  /** Keys have changed in this process: the change counts at once, not within ten seconds. */
  forget(): void
}

export interface AccessOptions {
  config: Pick<Config, 'auth'>
  store: Pick<Store, 'apiKeys' | 'clock' | 'isUnavailable'>
  log: Logger
  /** Milliseconds on a clock that never goes back. */
  now?: () => number
}

export function openAccess({ config, store, log, now = () => performance.now() }: AccessOptions): Access {
  const { apiKeys, clock, isUnavailable } = store
  const keys = createKeyCache({ find: (id) => apiKeys.find(id), isUnavailable, now })
  const isOn = createSwitch({ config, store, log, now })

  async function recordUse(row: ApiKeyRow): Promise<void> {
    const time = clock.now()
    if (row.lastUsedAt && row.lastUsedAt.getTime() > time - USE_RECORDED_EVERY_MS) return
    // Set before the write, in the row that other requests share: one of them is enough to write it.
    row.lastUsedAt = new Date(time)
    await apiKeys.touch(row.id, USE_RECORDED_EVERY_MS).catch((error: unknown) => {
      log.warn({ err: error, key: row.id }, 'recording the use of an API key failed')
    })
  }

  return {
    isOn,
    forget: () => keys.forget(),
    async admit({ authorization, scope, isSuspect = noSuspect }) {
      if (!(await isOn())) return undefined
      if (authorization === undefined) throw unauthorized(MISSING)
      const key = presentedKey(authorization)
      const row = key && (await keys.find(key.id, isSuspect))
      if (!row || !isKeyOf(row.hash, key)) throw unauthorized(INVALID)
      if (!row.scopes.includes(scope)) throw forbidden(`This API key lacks the scope ${scope}.`)
      await recordUse(row)
      return row
    },
  }
}

/**
 * Whether keys are required. Without AUTH they are required from the first key on, for ever: a revoked key counts as well, so
 * revoking the last one does not turn authentication off.
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
      if (isOn) log.info('API keys are required from now on')
    } catch (error) {
      // The last state holds. Without one, nobody may assume that no key is required.
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

// Credentials for HMS: an OAuth client and a service account stand beside each other in one row, and each is changed alone.
import type { UpdateHuaweiAccountRequest, UpdateRequest } from '@push-server/contract'
import {
  hmsPartsOf,
  hmsStored,
  InvalidCredentials,
  PROVIDERS,
  readHmsAccountFile,
  type HmsParts,
  type StoredCredentials,
} from '@push-server/providers'
import { checked, configured, decodeBase64, refuseUnknownKey, SECRET_FIELD, type ApplicationStore } from './upload.ts'

/** Sets the OAuth client of an application for HMS. A service account stays as it is. */
export const updateHuaweiClient = (
  store: ApplicationStore,
  { appId, projectId, clientId, clientSecret }: UpdateRequest<'huawei'>,
): Promise<void> =>
  changeHuawei(store, appId, (stored) => ({
    ...(stored?.hasAccount && accountOf(stored.read())),
    projectId,
    client: { clientId, clientSecret },
  }))

/** Sets the service account of an application for HMS, which pushes to HarmonyOS 5 and later. A client stays as it is. */
export const updateHuaweiAccount = (
  store: ApplicationStore,
  { appId, projectId, privateKeyBase64, category }: UpdateHuaweiAccountRequest,
): Promise<void> =>
  changeHuawei(store, appId, (stored) => {
    const file = readHmsAccountFile(decodeBase64(SECRET_FIELD, privateKeyBase64))
    if (file.project_id !== projectId) throw new InvalidCredentials(OTHER_PROJECT, { field: 'projectId' })
    const account = { file, category: category ?? 'MARKETING' }
    const { client, projectId: ofClient = projectId } = stored?.read() ?? {}
    return client ? { projectId: ofClient, client, account } : { projectId, account }
  })

const OTHER_PROJECT = 'HMS service account belongs to another project than "projectId"'

/** A client stays as it is. It is no error when there is no account. */
export const removeHuaweiAccount = (store: ApplicationStore, appId: string): Promise<void> =>
  changeHuawei(store, appId, (stored) => {
    if (!stored?.hasAccount) return null
    const { client, projectId } = stored.read()
    return client && { projectId, client }
  })

/** A client as it is stored beside the account that is stored already, if there is one. */
export function besideAccount(client: StoredCredentials, stored: StoredCredentials | undefined): StoredCredentials {
  const { account } = stored ? hmsPartsOf(stored) : {}
  return account ? hmsStored({ ...hmsPartsOf(client), account }) : client
}

const accountOf = ({ account }: HmsParts): Pick<HmsParts, 'account'> => (account ? { account } : {})

/** Credentials for HMS as they are stored. What needs nothing of the secret does not read it: it may be another key's. */
interface StoredHms {
  hasAccount: boolean
  read(): HmsParts
}

/**
 * Stores the parts that `change` makes of those that are stored, when a provider can be opened with them; undefined removes all, null changes
 * nothing.
 */
async function changeHuawei(
  store: ApplicationStore,
  appId: string,
  change: (stored: StoredHms | undefined) => HmsParts | null | undefined,
): Promise<void> {
  const { id } = await configured(store, appId)
  const changed = store.credentials.change({ applicationId: id, platform: 'huawei' }, (stored) =>
    checked(() => {
      const parts = change(
        stored && {
          hasAccount: stored.settings['accountKeyId'] !== undefined,
          read: () => hmsPartsOf({ settings: stored.settings, secret: stored.open() }),
        },
      )
      const credentials = parts ? hmsStored(parts) : parts
      if (credentials) PROVIDERS.huawei.verify(credentials)
      return credentials
    }),
  )
  await changed.catch(refuseUnknownKey)
}

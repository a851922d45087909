// What every change of credentials has in common: finding the application, reading what was uploaded, naming the member that is wrong.
import { invalidRequest, refusal, TEXT, unavailable } from '@push-server/contract'
import { InvalidCredentials } from '@push-server/providers'
import { UnknownEncryptionKey, type ApplicationRow, type Store } from '@push-server/store'

export type ApplicationStore = Pick<Store, 'applications' | 'credentials'>

/** Member of a request that has a secret, base64. */
export const SECRET_FIELD = 'requestObject.privateKeyBase64'

export async function configured({ applications }: ApplicationStore, appId: string): Promise<ApplicationRow> {
  const row = await applications.find(appId)
  if (!row) throw refusal(TEXT.credentialsUnknown(appId))
  return row
}

/** Names the member of the request that brought unusable credentials. */
export function checked<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof InvalidCredentials)) throw error
    throw invalidRequest([{ fieldName: `requestObject.${error.field}`, hint: error.message }], error)
  }
}

const RETRY_AFTER_S = 60
const WRONG_KEY =
  'This gateway lacks the encryption key of the credentials that are stored already; workers could not read these. Nothing was stored'

export function refuseUnknownKey(error: unknown): never {
  throw error instanceof UnknownEncryptionKey ? unavailable(WRONG_KEY, RETRY_AFTER_S, error) : error
}

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

export function decodeBase64(fieldName: string, text: string): Buffer {
  if (!BASE64.test(text)) throw invalidRequest([{ fieldName, hint: 'must be base64' }])
  return Buffer.from(text, 'base64')
}

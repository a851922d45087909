// Credentials of an application for FCM: the JSON file that Google issues for a key of a service account.
import { isUtf8 } from 'node:buffer'
import type { KeyObject } from 'node:crypto'
import { cert } from 'firebase-admin/app'
import { InvalidCredentials, readPrivateKey, readSecretObject } from '../credentials.ts'

export interface ServiceAccount {
  projectId: string
  clientEmail: string
  /** Google's id of the key, when the file has it. */
  keyId: string | undefined
  key: KeyObject
}

const LEAST_KEY_BITS = 2_048
/** The project stands in the path of every push. */
const PATH_SEGMENT = /^[\x21-\x7e]+$/
const PROJECT = { field: 'projectId' } as const
const KEY_FILE = { field: 'privateKeyBase64' } as const

/**
 * Reads stored credentials: the project to send for, and the bytes of the file. Throws InvalidCredentials for a file that does not
 * fit this project. https://cloud.google.com/iam/docs/keys-create-delete#creating
 */
export function readServiceAccount(settings: Readonly<Record<string, string | null>>, secret: Buffer): ServiceAccount {
  const projectId = settings['projectId']
  if (!projectId) throw new InvalidCredentials('FCM credentials lack "projectId"', PROJECT)
  if (!PATH_SEGMENT.test(projectId))
    throw new InvalidCredentials('FCM project id must be ASCII without blanks', PROJECT)
  const file = parseFile(secret)
  const required = (name: 'project_id' | 'client_email' | 'private_key') => {
    const value = file[name]
    if (typeof value !== 'string' || value === '')
      throw new InvalidCredentials(`FCM service account lacks "${name}"`, KEY_FILE)
    return value
  }
  if (file['type'] !== 'service_account')
    throw new InvalidCredentials('FCM key file must have "type" "service_account"', KEY_FILE)
  if (required('project_id') !== projectId)
    throw new InvalidCredentials('FCM service account belongs to another project than "projectId"', PROJECT)
  const clientEmail = required('client_email')
  const keyId = file['private_key_id']
  return {
    projectId,
    clientEmail,
    keyId: typeof keyId === 'string' && keyId !== '' ? keyId : undefined,
    key: readKey(required('private_key')),
  }
}

/**
 * Lets firebase-admin read the file as well: a file that Google's own library refuses is refused when it is uploaded. Throws
 * InvalidCredentials. The library keeps what it has read for the life of the process, so workers, which use accepted files only, do
 * not call it.
 */
export function certify(secret: Buffer): void {
  // Decoding it nevertheless could change the account.
  if (!isUtf8(secret)) throw new InvalidCredentials('FCM key file is not UTF-8', KEY_FILE)
  const file = parseFile(secret)
  try {
    cert(file)
  } catch (cause) {
    throw new InvalidCredentials(`FCM service account: ${(cause as Error).message}`, { ...KEY_FILE, cause })
  }
}

const parseFile = (secret: Buffer) => readSecretObject(secret, 'FCM key file is not JSON', KEY_FILE.field)

function readKey(pem: string): KeyObject {
  const key = readPrivateKey(pem, 'FCM private key')
  if (key.asymmetricKeyType !== 'rsa')
    throw new InvalidCredentials(`FCM private key must be an RSA key, this one is "${key.asymmetricKeyType}"`, KEY_FILE)
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (bits < LEAST_KEY_BITS)
    throw new InvalidCredentials(
      `FCM private key must have ${LEAST_KEY_BITS} bits at least, this one has ${bits}`,
      KEY_FILE,
    )
  return key
}

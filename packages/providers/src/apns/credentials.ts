// Credentials of an application for APNs, and the check of the key that Apple issues as a .p8 file.
import type { KeyObject } from 'node:crypto'
import { InvalidCredentials, readPrivateKey } from '../credentials.ts'
import type { Environment } from '../provider.ts'

export interface ApnsCredentials {
  /** Bundle id of the mobile application: the topic of every push. */
  bundle: string
  keyId: string
  teamId: string
  /** Environment of devices that name none; null leaves it to the server's default. */
  environment: Environment | null
  /** PEM text of the .p8 file. */
  privateKey: string
}

/** Reads stored credentials: settings that may be shown, and the bytes of the .p8 file. Throws InvalidCredentials when one is missing. */
export function readApnsCredentials(
  settings: Readonly<Record<string, string | null>>,
  secret: Buffer,
): ApnsCredentials {
  const required = (name: 'bundle' | 'keyId' | 'teamId') => {
    const value = settings[name]
    if (!value) throw new InvalidCredentials(`APNs credentials lack "${name}"`, { field: name })
    return value
  }
  return {
    bundle: required('bundle'),
    keyId: required('keyId'),
    teamId: required('teamId'),
    environment: readEnvironment(settings['environment']),
    privateKey: secret.toString(),
  }
}

/** Any other text leaves the environment to the server's default, too. */
function readEnvironment(text: string | null | undefined): Environment | null {
  const environment = text?.toLowerCase()
  return environment === 'development' || environment === 'production' ? environment : null
}

const HEADER_VALUE = /^[\x21-\x7e]+$/

/** The bundle id is sent as a header. Throws InvalidCredentials when a header cannot have it. */
export function checkTopic(bundle: string): void {
  if (!HEADER_VALUE.test(bundle))
    throw new InvalidCredentials('APNs bundle id must be ASCII without blanks', { field: 'bundle' })
}

/** The ids of key and team are parts of the signed token. Throws InvalidCredentials when Apple cannot have issued one of them. */
export function checkIdentifiers({ bundle, keyId, teamId }: ApnsCredentials): void {
  checkTopic(bundle)
  for (const [field, what, value] of [
    ['keyId', 'key id', keyId],
    ['teamId', 'team id', teamId],
  ] as const)
    if (!HEADER_VALUE.test(value)) throw new InvalidCredentials(`APNs ${what} must be ASCII without blanks`, { field })
}

const KEY_FILE = { field: 'privateKeyBase64' } as const

const PEM_LABEL = /-----BEGIN ([A-Z0-9 ]{1,40})-----/

/**
 * Reads the PEM bytes of an APNs key: PKCS#8, elliptic curve P-256, not encrypted. Throws InvalidCredentials otherwise.
 * https://developer.apple.com/documentation/usernotifications/establishing-a-token-based-connection-to-apns
 */
export function parseApnsKey(pem: Buffer): KeyObject {
  const label = PEM_LABEL.exec(pem.toString('latin1'))?.[1]
  if (label === undefined) throw new InvalidCredentials('APNs key is not a PEM file', KEY_FILE)
  if (label !== 'PRIVATE KEY')
    throw new InvalidCredentials(`APNs key must be PKCS#8 ("BEGIN PRIVATE KEY"), this file holds "${label}"`, KEY_FILE)
  const key = readPrivateKey(pem, 'APNs key')
  if (key.asymmetricKeyType !== 'ec')
    throw new InvalidCredentials(
      `APNs key must be an elliptic curve key, this one is "${key.asymmetricKeyType}"`,
      KEY_FILE,
    )
  const curve = key.asymmetricKeyDetails?.namedCurve
  if (curve !== 'prime256v1')
    throw new InvalidCredentials(`APNs key must be on the curve P-256, this one is on "${curve}"`, KEY_FILE)
  return key
}

// Reading stored credentials of any provider, and the error for unusable ones.
import { createPrivateKey, type KeyObject } from 'node:crypto'

/** Member of the request that brought a part of the credentials. */
export type CredentialsField =
  | 'bundle'
  | 'keyId'
  | 'teamId'
  | 'projectId'
  | 'privateKeyBase64'
  | 'clientId'
  | 'clientSecret'

interface Details extends ErrorOptions {
  field: CredentialsField
}

/** Unusable credentials. The message names what is wrong with them and never quotes a secret. */
export class InvalidCredentials extends Error {
  override name = 'InvalidCredentials'
  /** The member that is wrong. */
  readonly field: CredentialsField

  constructor(message: string, { field, ...options }: Details) {
    super(message, options)
    this.field = field
  }
}

/** Reads a private key. Throws InvalidCredentials; `what` it is called there. */
export function readPrivateKey(pem: Buffer | string, what: string): KeyObject {
  try {
    return createPrivateKey({ key: pem, format: 'pem' })
  } catch (cause) {
    throw new InvalidCredentials(`${what} is damaged: its PEM content cannot be read`, {
      field: 'privateKeyBase64',
      cause,
    })
  }
}

/** Reads the members of a secret that is JSON. Throws InvalidCredentials without its cause, which quotes the secret. */
export function readSecretObject(
  secret: Buffer,
  message: string,
  field: CredentialsField,
): Partial<Record<string, unknown>> {
  try {
    return Object(JSON.parse(secret.toString()))
  } catch {
    throw new InvalidCredentials(message, { field })
  }
}

// Reading stored credentials of any provider, and the error for unusable ones.
import { createPrivateKey, createPublicKey, randomBytes, sign, verify, type KeyObject } from 'node:crypto'

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
    const text = hasForeignPoint(cause) ? `${what} ${FOREIGN_PUBLIC_PART}` : `${what} ${DAMAGED}`
    throw new InvalidCredentials(text, { field: 'privateKeyBase64', cause })
  }
}

const DAMAGED = 'is damaged: its PEM content cannot be read'
const FOREIGN_PUBLIC_PART = 'is damaged: its public part does not belong to its private part'

/** OpenSSL names the innermost error among others. Java reads such a key all the same, since it ignores the public part. */
const hasForeignPoint = (error: unknown) =>
  ((error as { opensslErrorStack?: string[] }).opensslErrorStack ?? []).some((line) =>
    /elliptic curve routines::(point is not on curve|invalid encoding)/.test(line),
  )

/**
 * Checks that what the key signs is valid for its own public part, which OpenSSL reads without comparing the two. Throws
 * InvalidCredentials.
 */
export function checkKeyPair(key: KeyObject, what: string): void {
  if (!isPair(key)) throw new InvalidCredentials(`${what} ${FOREIGN_PUBLIC_PART}`, { field: 'privateKeyBase64' })
}

function isPair(key: KeyObject): boolean {
  const data = randomBytes(32)
  try {
    return verify('sha256', data, createPublicKey(key), sign('sha256', data, key))
  } catch {
    // A private part that no key can have, such as zero, signs nothing.
    return false
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

// A short id of a private key that reveals nothing of it. Pure.
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'

/** 16 hexadecimal digits of the hash of its public part. */
export function keyFingerprint(privateKey: KeyObject): string {
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(publicKey).digest('hex').slice(0, 16)
}

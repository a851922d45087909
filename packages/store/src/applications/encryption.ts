// Secrets at rest: AES-256-GCM, the key named beside each value, the row it belongs to bound into it.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** A shorter tag is refused instead of being checked for less. */
const OPTIONS = { authTagLength: TAG_BYTES } as const

/** What is stored: nonce, ciphertext and tag in one, and which key made it. */
export interface Sealed {
  value: Buffer
  keyId: string
}

/** A secret was encrypted with a key that this process does not have. */
export class UnknownEncryptionKey extends Error {
  override readonly name = 'UnknownEncryptionKey'
}

export interface Encryption {
  /** `row` names the place of the value; it opens at that place only. */
  seal(plain: string | Buffer, row: string): Sealed
  knows(keyId: string): boolean
  /** Throws UnknownEncryptionKey, and another error when the value was changed or moved to another row. */
  open(sealed: { value: Uint8Array; keyId: string }, row: string): Buffer
}

/** `key` seals and opens, `oldKeys` only open. Each is base64 of 32 bytes; throws a text that never repeats a key. */
export function createEncryption(key: string, oldKeys: readonly string[] = []): Encryption {
  const [current, ...earlier] = [key, ...oldKeys].map(readKey)
  const keys = new Map([...earlier, current].map((entry) => [entry?.id, entry?.bytes]))
  if (!current) throw new Error('No encryption key given')
  return {
    seal(plain, row) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(ALGORITHM, current.bytes, nonce, OPTIONS).setAAD(Buffer.from(row))
      return {
        value: Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]),
        keyId: current.id,
      }
    },
    knows: (keyId) => keys.has(keyId),
    open({ value, keyId }, row) {
      const bytes = keys.get(keyId)
      if (!bytes)
        throw new UnknownEncryptionKey(`Secret of ${row} was encrypted with key ${keyId}, which is not configured`)
      const sealed = Buffer.from(value)
      const decipher = createDecipheriv(ALGORITHM, bytes, sealed.subarray(0, NONCE_BYTES), OPTIONS).setAAD(
        Buffer.from(row),
      )
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
      return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()])
    },
  }
}

function readKey(base64: string) {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length !== 32) throw new Error('ENCRYPTION_KEY is not base64 of 32 bytes')
  return { bytes, id: createHash('sha256').update(bytes).digest('hex').slice(0, 16) }
}

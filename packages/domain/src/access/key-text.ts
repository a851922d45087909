// The text of an API key, `<id>.<secret>`: how it is made, presented and compared. The id may be shown, the secret never.
import { hash, randomBytes, timingSafeEqual } from 'node:crypto'

export interface KeyText {
  id: string
  secret: string
}

/** What a person may choose in API_KEY_BOOTSTRAP: 32 random bytes have 43 characters in base64, 64 in hexadecimal. */
export const KEY_FORMAT =
  '<id>.<secret>: up to 64 letters, digits, - and _, a full stop, and 32 random bytes in base64 or hex'

const ID = /^[A-Za-z0-9_-]{1,64}$/
const SECRET = /^[A-Za-z0-9+/=_~-]{43,255}$/

/** The prefix lets scanners of source code find keys that were committed. */
export const generateKey = (): KeyText => ({
  id: `push_${randomBytes(8).toString('hex')}`,
  secret: randomBytes(32).toString('base64url'),
})

export const writeKey = ({ id, secret }: KeyText) => `${id}.${secret}`

/** Undefined when the text is no key, whatever else it is. */
export const readKey = (text: string): KeyText | undefined => keyOf(text, '.')

/**
 * The key in an Authorization header: `Bearer <id>.<secret>`, or `Basic` with id and secret as user and password. Basic without a colon is
 * the whole key: some generated clients send the one text that they were given by every scheme of the description.
 */
export function presentedKey(authorization: string): KeyText | undefined {
  const [, scheme = '', value = ''] = /^(\w+) +(\S+)$/.exec(authorization) ?? []
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return readKey(value)
    case 'basic':
      return basicKey(Buffer.from(value, 'base64').toString())
    default:
      return undefined
  }
}

const basicKey = (text: string) => (text.includes(':') ? keyOf(text, ':') : readKey(text))

function keyOf(text: string, separator: string): KeyText | undefined {
  const end = text.indexOf(separator)
  const [id, secret] = [text.slice(0, end), text.slice(end + 1)]
  return end > 0 && ID.test(id) && SECRET.test(secret) ? { id, secret } : undefined
}

/**
 * What is stored of a key: SHA-256, 32 bytes. The slow hashes (scrypt, Argon2) make up for passwords that can be guessed;
 * 256 random bits cannot be, at any speed. Here a slow hash would only make each request, and each attack, cost more. A salt has
 * nothing to hide either: no two keys are the same.
 */
export const hashKey = (key: KeyText) => hash('sha256', writeKey(key), 'buffer')

/** Takes the same time wherever the two differ. */
export const isKeyOf = (stored: Uint8Array, key: KeyText) => timingSafeEqual(stored, hashKey(key))

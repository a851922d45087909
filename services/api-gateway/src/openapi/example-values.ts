// Examples that have to be computed, so that the server accepts them as they stand: keys that anybody can compute and so nobody uses, the
// same in every process, and a time that has not passed.
import { createECDH, createPrivateKey, hash, type JsonWebKey } from 'node:crypto'
import type { ExampleValues } from './components.ts'

/** The project of the examples, which a service account must belong to. */
const PROJECT_ID = 'PROJECTID123'

/** `now`: milliseconds since the epoch. The same for a year, so that a client generated again is the same. */
export const exampleValues = (now: number): ExampleValues => ({
  apnsKey: base64(pemOf(ellipticKey())),
  serviceAccount: base64(
    JSON.stringify({
      type: 'service_account',
      project_id: PROJECT_ID,
      client_email: `push@${PROJECT_ID.toLowerCase()}.iam.gserviceaccount.com`,
      private_key: pemOf(rsaKey()),
    }),
  ),
  huaweiAccount: base64(
    JSON.stringify({
      project_id: PROJECT_ID,
      key_id: 'KEYID12345',
      sub_account: '100000002',
      private_key: pemOf(rsaKey()),
    }),
  ),
  timeAhead: `${new Date(now).getUTCFullYear() + 2}-01-15T09:00:00.000+00:00`,
})

const base64 = (text: string) => Buffer.from(text).toString('base64')

const pemOf = (key: JsonWebKey) =>
  createPrivateKey({ key, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' }).toString()

const COORDINATE_BYTES = 32

function ellipticKey(): JsonWebKey {
  const d = hash('sha256', 'example', 'buffer')
  const ecdh = createECDH('prime256v1')
  ecdh.setPrivateKey(d)
  const point = ecdh.getPublicKey().subarray(1)
  const [x, y] = [point.subarray(0, COORDINATE_BYTES), point.subarray(COORDINATE_BYTES)]
  return { kty: 'EC', crv: 'P-256', d: base64url(d), x: base64url(x), y: base64url(y) }
}

/** Of the two largest primes of 1024 bits. */
function rsaKey(): JsonWebKey {
  const [p, q, e] = [2n ** 1024n - 105n, 2n ** 1024n - 179n, 65_537n]
  const d = inverse(e, (p - 1n) * (q - 1n))
  const numbers = { n: p * q, e, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) }
  return {
    kty: 'RSA',
    ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, base64url(bytesOf(value))])),
  }
}

/** By the extended Euclidean algorithm. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [rest, next, factor, nextFactor] = [modulus, value, 0n, 1n]
  while (next !== 0n) {
    const times = rest / next
    ;[rest, next] = [next, rest - times * next]
    ;[factor, nextFactor] = [nextFactor, factor - times * nextFactor]
  }
  return ((factor % modulus) + modulus) % modulus
}

function bytesOf(value: bigint): Buffer {
  const digits = value.toString(16)
  return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')
}

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')

// Verifies the provider token that a sender presents with each request.
// https://developer.apple.com/documentation/usernotifications/establishing-a-token-based-connection-to-apns
import { createPublicKey, verify, type KeyObject } from 'node:crypto'
import { readJsonWebToken } from '../json-web-token.ts'
import type { Reason } from './reasons.ts'

export interface ApnsKey {
  keyId: string
  teamId: string
  publicKeyPem: string
  /** Bundle ids the key may push to; without them, any. */
  topics?: readonly string[] | undefined
}

/** What a verified token permits. */
export interface Permit {
  teamId: string
  topics: ReadonlySet<string> | undefined
  /** Seconds since the epoch. */
  issuedAt: number
}

export interface TokenVerifier {
  /** From the first key on, only tokens of known keys are admitted. Before that, every well-formed one is. */
  addKey(key: ApnsKey): void
  admit(authorization: string | undefined): Permit | Reason
}

const VALID_SECONDS = 3600
/** Senders use one token for an hour, so its signature is verified once. */
const VERDICTS_KEPT = 1000

type KnownKey = { teamId: string; publicKey: KeyObject; topics: ReadonlySet<string> | undefined }

export function createTokenVerifier(): TokenVerifier {
  const keys = new Map<string, KnownKey>()
  const verdicts = new Map<string, Permit | Reason>()

  function verifyOnce(authorization: string): Permit | Reason {
    const known = verdicts.get(authorization)
    if (known !== undefined) return known
    if (verdicts.size >= VERDICTS_KEPT) verdicts.clear()
    const verdict = verifyToken(authorization, keys)
    verdicts.set(authorization, verdict)
    return verdict
  }

  return {
    addKey({ keyId, teamId, publicKeyPem, topics }) {
      keys.set(keyId, { teamId, publicKey: createPublicKey(publicKeyPem), topics: topics && new Set(topics) })
      verdicts.clear()
    },
    admit(authorization) {
      if (!authorization) return 'MissingProviderToken'
      const verdict = verifyOnce(authorization)
      if (typeof verdict === 'string') return verdict
      const age = Math.abs(Date.now() / 1000 - verdict.issuedAt)
      return age > VALID_SECONDS ? 'ExpiredProviderToken' : verdict
    },
  }
}

function verifyToken(authorization: string, keys: ReadonlyMap<string, KnownKey>): Permit | Reason {
  const token = readToken(authorization)
  if (!token) return 'InvalidProviderToken'
  const { keyId, teamId, issuedAt, signed, signature } = token
  if (keys.size === 0) return { teamId, topics: undefined, issuedAt }
  const key = keys.get(keyId)
  if (key?.teamId !== teamId) return 'InvalidProviderToken'
  const genuine = verify('sha256', signed, { key: key.publicKey, dsaEncoding: 'ieee-p1363' }, signature)
  return genuine ? { teamId, topics: key.topics, issuedAt } : 'InvalidProviderToken'
}

function readToken(authorization: string) {
  const token = /^bearer /i.test(authorization) && readJsonWebToken(authorization.slice('bearer '.length))
  if (!token) return undefined
  const { alg, kid } = token.header
  const { iss, iat } = token.claims
  if (alg !== 'ES256' || typeof kid !== 'string' || typeof iss !== 'string' || typeof iat !== 'number') return undefined
  return { keyId: kid, teamId: iss, issuedAt: iat, signed: token.signed, signature: token.signature }
}

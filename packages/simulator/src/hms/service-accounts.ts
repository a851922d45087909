// The service accounts that may push by version 3, and their tokens: each signs its own, and sends it as it is.
// https://developer.huawei.com/consumer/cn/doc/harmonyos-guides/push-jwt-token
import { constants, createPublicKey, verify, type KeyObject } from 'node:crypto'
import { readJsonWebToken, type JsonWebToken } from '../json-web-token.ts'

export interface HmsServiceAccount {
  /** Issuer of its tokens. */
  subAccount: string
  keyId: string
  publicKeyPem: string
  /** The one project it may push to. */
  projectId: string
}

export interface HmsServiceAccounts {
  /** From the first account on, only known ones may push. Before that, every well-formed token is admitted. */
  add(account: HmsServiceAccount): void
  /** The code of the refusal; undefined when the sender may push to the project. */
  admit(authorization: string | undefined, projectId: string): string | undefined
}

const AUDIENCE = 'https://oauth-login.cloud.huawei.com/oauth2/v3/token'
const LONGEST_LIFE_S = 86_400
const SALT_BYTES = 32
const REFUSED = '80200001'
const EXPIRED = '80200005'
const LIVES_TOO_LONG = '80300036'

type KnownAccount = Omit<HmsServiceAccount, 'publicKeyPem'> & { publicKey: KeyObject }

export function createHmsServiceAccounts(): HmsServiceAccounts {
  const accounts = new Map<string, KnownAccount>()
  return {
    add: ({ publicKeyPem, ...account }) =>
      void accounts.set(account.keyId, { ...account, publicKey: createPublicKey(publicKeyPem) }),
    admit(authorization = '', projectId) {
      // An access token of OAuth is no JSON web token.
      const token = /^bearer /i.test(authorization)
        ? readJsonWebToken(authorization.slice('bearer '.length))
        : undefined
      if (!token || token.header['alg'] !== 'PS256' || token.claims['aud'] !== AUDIENCE) return REFUSED
      const account = accounts.get(String(token.header['kid']))
      if (accounts.size > 0 && !(account && isOf(token, account, projectId))) return REFUSED
      return findTimeFailure(token.claims)
    },
  }
}

const isOf = ({ claims, signed, signature }: JsonWebToken, account: KnownAccount, projectId: string): boolean =>
  account.projectId === projectId &&
  account.subAccount === claims['iss'] &&
  verify(
    'sha256',
    signed,
    { key: account.publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: SALT_BYTES },
    signature,
  )

function findTimeFailure({ iat, exp }: Record<string, unknown>): string | undefined {
  if (typeof iat !== 'number' || typeof exp !== 'number') return REFUSED
  if (exp - iat > LONGEST_LIFE_S) return LIVES_TOO_LONG
  return exp * 1_000 <= Date.now() ? EXPIRED : undefined
}

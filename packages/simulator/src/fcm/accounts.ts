// The service accounts that may push through FCM, and the access tokens issued to them.
// https://developers.google.com/identity/protocols/oauth2/service-account#httprest
import { createPublicKey, verify, type KeyObject } from 'node:crypto'
import type { AccessTokens } from '../access-tokens.ts'
import { readJsonWebToken, type JsonWebToken } from '../json-web-token.ts'
import { jsonReply, type Reply } from '../wire/http-exchange.ts'

export interface FcmAccount {
  /** The account's e-mail address. */
  clientEmail: string
  publicKeyPem: string
  /** The one project it may push to. */
  projectId: string
}

/** What an access token permits. */
export interface FcmPermit {
  /** Undefined: any. */
  projectId: string | undefined
  /** The requested scope covers messaging. */
  mayPush: boolean
}

export interface FcmAccounts {
  /** From the first account on, only known ones get tokens. Before that, every well-formed assertion does. */
  add(account: FcmAccount): void
  /** The response to a request for an access token, given the form that was posted. */
  grant(parameters: URLSearchParams): Reply
}

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const SCOPES = ['https://www.googleapis.com/auth/firebase.messaging', 'https://www.googleapis.com/auth/cloud-platform']
const LIFE_SECONDS = 3600
/** Tolerated difference of a sender's clock. */
const SKEW_SECONDS = 300

type KnownAccount = { publicKey: KeyObject; projectId: string }

export function createFcmAccounts(tokens: AccessTokens<FcmPermit>): FcmAccounts {
  const accounts = new Map<string, KnownAccount>()
  return {
    add: ({ clientEmail, publicKeyPem, projectId }) =>
      void accounts.set(clientEmail, { publicKey: createPublicKey(publicKeyPem), projectId }),
    grant(parameters) {
      const grantType = parameters.get('grant_type') ?? ''
      if (grantType !== GRANT_TYPE) return refuse('unsupported_grant_type', `Invalid grant_type: ${grantType}`)
      const token = readJsonWebToken(parameters.get('assertion') ?? '')
      if (!token) return refuse('invalid_request', 'Bad Request')
      const permit = judge(token, accounts)
      if ('status' in permit) return permit
      const issued = tokens.issue(permit)
      return jsonReply(200, { access_token: issued.token, expires_in: issued.expiresIn, token_type: 'Bearer' })
    },
  }
}

function judge(token: JsonWebToken, accounts: ReadonlyMap<string, KnownAccount>): FcmPermit | Reply {
  const { iss, scope, aud } = token.claims
  if (token.header['alg'] !== 'RS256') return refuse('invalid_grant', 'Invalid JWT: the algorithm must be RS256')
  if (typeof iss !== 'string' || typeof aud !== 'string') return refuse('invalid_grant', 'Invalid JWT: iss and aud')
  if (!isTimely(token.claims)) {
    return refuse('invalid_grant', 'Invalid JWT: Token must be a short-lived token (60 minutes), check iat and exp')
  }
  if (typeof scope !== 'string') return refuse('invalid_scope', 'Invalid OAuth scope or ID token audience provided.')
  const mayPush = scope.split(' ').some((requested) => SCOPES.includes(requested))
  if (accounts.size === 0) return { projectId: undefined, mayPush }
  const account = accounts.get(iss)
  if (!account) return refuse('invalid_grant', 'Invalid grant: account not found')
  if (!verify('sha256', token.signed, account.publicKey, token.signature)) {
    return refuse('invalid_grant', 'Invalid JWT Signature.')
  }
  return { projectId: account.projectId, mayPush }
}

function isTimely({ iat, exp }: Record<string, unknown>): boolean {
  if (typeof iat !== 'number' || typeof exp !== 'number') return false
  const now = Date.now() / 1000
  return iat <= now + SKEW_SECONDS && exp >= now - SKEW_SECONDS && exp > iat && exp - iat <= LIFE_SECONDS
}

const refuse = (error: string, description: string) => jsonReply(400, { error, error_description: description })

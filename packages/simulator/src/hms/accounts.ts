// The clients that may push through HMS, and the access tokens issued to them (OAuth 2.0, client credentials).
// https://developer.huawei.com/consumer/en/doc/HMSCore-Guides/open-platform-oauth-0000001053629189
import type { AccessTokens } from '../access-tokens.ts'
import { jsonReply, type Reply } from '../wire/http-exchange.ts'

export interface HmsAccount {
  /** Also the application's id, which stands in the path of version 1 of the API. */
  clientId: string
  clientSecret: string
  /** Stands in the path of version 2. */
  projectId: string
}

/** The ids an access token permits to push to; undefined means any. */
export type HmsPermit = ReadonlySet<string> | undefined

export interface HmsAccounts {
  /** From the first account on, only known ones get tokens. Before that, any client does. */
  add(account: HmsAccount): void
  /** The response to a request for an access token, given the form that was posted. */
  grant(parameters: URLSearchParams): Reply
}

export function createHmsAccounts(tokens: AccessTokens<HmsPermit>): HmsAccounts {
  const accounts = new Map<string, HmsAccount>()
  return {
    add: (account) => void accounts.set(account.clientId, account),
    grant(parameters) {
      const clientId = parameters.get('client_id')
      const clientSecret = parameters.get('client_secret')
      if (parameters.get('grant_type') !== 'client_credentials') return refuse(20001, 'invalid grant_type')
      if (!clientId || !clientSecret) return refuse(20001, 'client_id and client_secret are required')
      const account = accounts.get(clientId)
      if (accounts.size > 0 && account?.clientSecret !== clientSecret) return refuse(12304, 'invalid client_secret')
      const { token, expiresIn } = tokens.issue(account && new Set([account.projectId, account.clientId]))
      return jsonReply(200, { access_token: token, expires_in: expiresIn, token_type: 'Bearer' })
    },
  }
}

const refuse = (subError: number, description: string) =>
  jsonReply(400, { error: 1101, sub_error: subError, error_description: description })

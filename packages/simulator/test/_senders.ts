// Senders for the tests of FCM and HMS: plain node:https and node:http2, so that nothing smooths anything over.
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { connect, type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2'
import { request, type Agent } from 'node:https'
import type { Endpoint, OAuthEndpoint, Simulator } from '../src/index.ts'
import { exchange, type Reply } from './_client.ts'

export const EMAIL = 'sender@demo-project.iam.gserviceaccount.com'
export const MESSAGING = 'https://www.googleapis.com/auth/firebase.messaging'
export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

export function makeRsaKey() {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { privateKey, publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }) as string }
}

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')

/** As google-auth-library makes it; claims given as undefined are left out. Without a key the signature is nonsense. */
export function makeAssertion(claims: Record<string, unknown> = {}, { key, alg = 'RS256' }: AssertionOptions = {}) {
  const iat = Math.floor(Date.now() / 1000)
  const usual = { iss: EMAIL, scope: MESSAGING, aud: 'https://oauth2.googleapis.com/token', iat, exp: iat + 3600 }
  const signed = `${encode({ alg })}.${encode({ ...usual, ...claims })}`
  return `${signed}.${key ? sign('sha256', Buffer.from(signed), key).toString('base64url') : 'bm9uc2Vuc2U'}`
}
interface AssertionOptions {
  key?: KeyObject
  alg?: string
}

/** A connection of one's own unless the agent keeps one. */
export interface Post {
  headers?: OutgoingHttpHeaders
  body: string
  agent?: Agent
  method?: string
}

/** One request over HTTP/1.1; status 0 when the connection ended without a response. */
export function post(url: string, ca: string, { headers = {}, body, agent, method = 'POST' }: Post): Promise<Reply> {
  return new Promise((resolve) => {
    const reply: Reply = { status: 0, headers: {}, body: {}, reset: 0 }
    const sent = request(url, { method, ca, headers, agent: agent ?? false }, (response) => {
      let text = ''
      reply.status = response.statusCode ?? 0
      reply.headers = response.headers
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => {
        if (text.startsWith('{')) reply.body = JSON.parse(text)
        resolve(reply)
      })
    })
    // A connection that ends is what some tests look for.
    sent.on('error', () => resolve(reply))
    sent.end(body)
  })
}

export const askToken = ({ tokenUrl, ca }: OAuthEndpoint, parameters: Record<string, string>) =>
  post(tokenUrl, ca, {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(parameters).toString(),
  })

export const openFcm = ({ fcm }: Simulator): ClientHttp2Session => connect(fcm.origin, { ca: fcm.ca })

export async function bearer(endpoint: OAuthEndpoint, parameters: Record<string, string>): Promise<string> {
  const { status, body } = await askToken(endpoint, parameters)
  if (status !== 200) throw new Error(`No access token: ${JSON.stringify(body)}`)
  return `Bearer ${String(body['access_token'])}`
}

export const fcmBearer = ({ fcm }: Simulator, assertion = makeAssertion()) =>
  bearer(fcm, { grant_type: JWT_BEARER, assertion })

export const hmsBearer = ({ hms }: Simulator, { client_id = '104005', client_secret = 'secret' } = {}) =>
  bearer(hms, { grant_type: 'client_credentials', client_id, client_secret })

export const FCM_PATH = '/v1/projects/demo-project/messages:send'
export const HMS_PATH = '/v2/736430079/messages:send'

/** What a sender keeps: its connection or endpoint, and its token. */
export interface FcmSender {
  session: ClientHttp2Session
  authorization: string
}

export const sendFcm = ({ session, authorization }: FcmSender, message: unknown, headers: OutgoingHttpHeaders = {}) => {
  const body = typeof message === 'string' ? message : JSON.stringify({ message })
  return exchange(session, { ':method': 'POST', ':path': FCM_PATH, authorization, ...headers }, body)
}

export interface HmsSender {
  endpoint: Endpoint
  authorization: string
  agent?: Agent
}

export const sendHms = ({ endpoint, authorization, agent }: HmsSender, message: unknown, path = HMS_PATH) =>
  post(`${endpoint.origin}${path}`, endpoint.ca, {
    headers: { authorization, 'content-type': 'application/json' },
    body: typeof message === 'string' ? message : JSON.stringify({ validate_only: false, message }),
    ...(agent && { agent }),
  })

export const hmsMessage = (token: unknown, notification: object = {}, android: object = {}) => ({
  token,
  android: {
    ...android,
    notification: { title: 'Balance', body: 'It is $745.00', click_action: { type: 3 }, ...notification },
  },
})

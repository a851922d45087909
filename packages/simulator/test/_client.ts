// A sender for the tests: plain node:http2, so that nothing between test and fake smooths anything over.
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { connect, type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2'
import type { Simulator } from '../src/index.ts'

export interface Reply {
  /** 0 when the stream ended without a response. */
  status: number
  headers: Record<string, unknown>
  body: Record<string, unknown>
  /** RST_STREAM code; 0 when there was none. */
  reset: number
}

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')

/** `issuedAt` in seconds since the epoch. Without a key the signature is nonsense. */
export function makeToken(
  options: { keyId?: string; teamId?: string; issuedAt?: number; alg?: string; key?: KeyObject } = {},
) {
  const {
    keyId = 'KEY0000001',
    teamId = 'TEAM000001',
    issuedAt = Math.floor(Date.now() / 1000),
    alg = 'ES256',
  } = options
  const signed = `${encode({ alg, kid: keyId })}.${encode({ iss: teamId, iat: issuedAt })}`
  const signature = options.key
    ? sign('sha256', Buffer.from(signed), { key: options.key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
    : 'c2lnbmF0dXJl'
  return `${signed}.${signature}`
}

export function makeKey() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { privateKey, publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }) as string }
}

export const open = ({ apns }: Simulator): ClientHttp2Session => connect(apns.origin, { ca: apns.ca })

export const TOKEN = '00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0'
export const PAYLOAD = { aps: { alert: { title: 'Balance update', body: 'Your balance is now $745.00' } } }

/** Headers given as undefined are left out. */
export function push(
  session: ClientHttp2Session,
  token: string,
  options: { headers?: OutgoingHttpHeaders; body?: string | object } = {},
) {
  const { headers = {}, body = PAYLOAD } = options
  const all: OutgoingHttpHeaders = {
    ':method': 'POST',
    ':path': `/3/device/${token}`,
    authorization: `bearer ${makeToken()}`,
    'apns-topic': 'com.example.bank',
    'apns-push-type': 'alert',
    ...headers,
  }
  return exchange(session, all, typeof body === 'string' ? body : JSON.stringify(body))
}

/** One request over HTTP/2; resolves when its stream is closed, with a response or without. Headers given as undefined are left out. */
export function exchange(session: ClientHttp2Session, headers: OutgoingHttpHeaders, body: string): Promise<Reply> {
  const given = Object.entries(headers).filter(([, value]) => value !== undefined)
  const stream = session.request(Object.fromEntries(given))
  return new Promise((resolve) => {
    const reply: Reply = { status: 0, headers: {}, body: {}, reset: 0 }
    let text = ''
    stream.on('response', (response) => {
      reply.status = response[':status'] ?? 0
      reply.headers = response
    })
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
    // A reset or cut connection is what some tests look for: it shows in `status` and `reset`.
    stream.on('error', () => {})
    stream.on('close', () => {
      if (text.startsWith('{')) reply.body = JSON.parse(text)
      reply.reset = stream.rstCode ?? 0
      resolve(reply)
    })
    stream.end(body)
  })
}

/** Prefixes that misbehaviour.test.ts is about. */
export const IN_MISBEHAVIOUR = ['faded005', 'faded006', 'faded007', 'faded008', 'faded009', 'faded502']

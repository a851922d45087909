// What is pushed: an ordinary notification of some 190 bytes, different for each push, to one of 20 000 devices.
import { generateKeyPairSync, randomBytes } from 'node:crypto'

const DEVICES = 20_000
const apnsTokens = Array.from({ length: DEVICES }, () => randomBytes(32).toString('hex'))
const longTokens = Array.from(
  { length: DEVICES },
  () => `${randomBytes(8).toString('hex')}:APA91b${randomBytes(67).toString('hex')}`,
)

export const apnsToken = (push: number) => apnsTokens[push % DEVICES] ?? ''
/** As FCM and HMS give them. */
export const longToken = (push: number) => longTokens[push % DEVICES] ?? ''

export const TOPIC = 'com.example.app'
export const TITLE = 'Hello'
export const textOf = (push: number) => `Your order ${push} has been shipped and will arrive tomorrow`

export const apnsPayload = (push: number) => ({
  aps: { alert: { title: TITLE, body: textOf(push) }, sound: 'default', badge: 3 },
  orderId: String(push),
  deeplink: `app://orders/${push}`,
})

export const fcmMessage = (push: number) => ({
  token: longToken(push),
  notification: { title: TITLE, body: textOf(push) },
  data: { orderId: String(push), deeplink: `app://orders/${push}` },
})

/** As long as a real one. */
export const BEARER = randomBytes(150).toString('base64url')

export const apnsHeaders = {
  authorization: `bearer ${BEARER}`,
  'apns-topic': TOPIC,
  'apns-push-type': 'alert',
  'apns-priority': '10',
  'apns-expiration': '0',
}

export const fcmPath = '/v1/projects/bench/messages:send'
export const fcmHeaders = { authorization: `Bearer ${BEARER}`, 'content-type': 'application/json' }

export const apnsKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
}) as string

// Other ways to reach APNs and FCM from Node.js, each used as its documentation says.
import { readFileSync } from 'node:fs'
import { connect, type ClientHttp2Session } from 'node:http2'
import { once } from 'node:events'
import apn from '@parse/node-apn'
import { ApnsClient, Notification } from 'apns2'
import { initializeApp } from 'firebase-admin/app'
import { getMessaging } from 'firebase-admin/messaging'
import { Pool } from 'undici'
import { promised, type ClientOptions, type OpenClient } from '../bench-client.ts'
import { apnsHeaders, apnsKey, apnsPayload, apnsToken, BEARER, fcmMessage, TOPIC } from '../samples.ts'

const originOf = ({ port }: ClientOptions) => `https://localhost:${port}`
const TOKEN_KEY = { key: Buffer.from(apnsKey), keyId: 'ABC123DEFG', teamId: 'TEAM123456' }

/** node:http2 with nothing around it: no deadline, no body, no error handling. What a client on it cannot be cheaper than. */
export const bareHttp2: OpenClient = async (options) => {
  const ca = readFileSync(options.caFile)
  const sessions = Array.from({ length: options.connections }, () => connect(originOf(options), { ca }))
  await Promise.all(sessions.map((session) => once(session, 'remoteSettings')))
  return {
    batch: 1,
    send(push, done) {
      const session = sessions[push % sessions.length] as ClientHttp2Session
      const request = session.request({ ':method': 'POST', ':path': `/3/device/${apnsToken(push)}`, ...apnsHeaders })
      request.on('response', (head) => done(head[':status'] === 200 ? 1 : 0))
      request.on('error', () => done(0))
      request.resume().end(JSON.stringify(apnsPayload(push)))
    },
    close: () => sessions.forEach((session) => session.destroy()),
  }
}

export const undici: OpenClient = (options) => {
  const { connections, streams } = options
  const pool = new Pool(originOf(options), {
    connections,
    pipelining: streams,
    maxConcurrentStreams: streams,
    allowH2: true,
    connect: { ca: readFileSync(options.caFile) },
  })
  return {
    batch: 1,
    send: promised(async (push) => {
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path: `/3/device/${apnsToken(push)}`,
        headers: apnsHeaders,
        body: JSON.stringify(apnsPayload(push)),
      })
      await body.dump()
      return statusCode === 200 ? 1 : 0
    }),
    close: () => pool.destroy(),
  }
}

export const nodeApn: OpenClient = (options) => {
  const { port, connections } = options
  const provider = new apn.MultiProvider({
    token: TOKEN_KEY,
    address: 'localhost',
    port,
    ca: [readFileSync(options.caFile)],
    requestTimeout: 30_000,
    clientCount: connections,
  })
  return {
    batch: 1,
    send: promised(async (push) => {
      const { aps, orderId, deeplink } = apnsPayload(push)
      const notification = new apn.Notification({ topic: TOPIC, alert: aps.alert, payload: { orderId, deeplink } })
      Object.assign(notification, { pushType: 'alert', priority: 10, expiry: 0, sound: 'default', badge: 3 })
      const { sent } = await provider.send(notification, apnsToken(push))
      return sent.length
    }),
    close: () => provider.shutdown(),
  }
}

/** Its port cannot be set: redirect.cjs leads it to the load server. */
export const apns2: OpenClient = () => {
  const client = new ApnsClient({
    team: TOKEN_KEY.teamId,
    keyId: TOKEN_KEY.keyId,
    signingKey: apnsKey,
    defaultTopic: TOPIC,
    host: 'localhost',
  })
  return {
    batch: 1,
    send: promised(async (push) => {
      const { aps, orderId, deeplink } = apnsPayload(push)
      await client.send(new Notification(apnsToken(push), { aps, data: { orderId, deeplink }, expiration: 0 }))
      return 1
    }),
    close: () => client.destroy(),
  }
}

/** Its host is a constant as well. */
function openMessaging() {
  const credential = { getAccessToken: async () => ({ access_token: BEARER, expires_in: 3_600 }) }
  return getMessaging(initializeApp({ credential, projectId: 'bench' }))
}

export const firebaseSend: OpenClient = () => {
  const messaging = openMessaging()
  return {
    batch: 1,
    send: promised(async (push) => ((await messaging.send(fcmMessage(push))) ? 1 : 0)),
    close() {},
  }
}

export const firebaseSendEach: OpenClient = () => {
  const messaging = openMessaging()
  const batch = 500
  return {
    batch,
    send: promised(async (call) => {
      const messages = Array.from({ length: batch }, (_, place) => fcmMessage(call * batch + place))
      return (await messaging.sendEach(messages)).successCount
    }),
    close() {},
  }
}

// Our HTTP/2 client by itself, over either transport: a path, a body and an id for each push.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { openHttp2, type Http2Request, type Transport } from '@push-server/http2'
import type { OpenClient } from '../bench-client.ts'
import { apnsHeaders, apnsPayload, apnsToken, fcmHeaders, fcmMessage, fcmPath } from '../samples.ts'

const open =
  (transport: Transport, request: (push: number) => Http2Request): OpenClient =>
  ({ port, caFile, connections, streams }) => {
    const ca = readFileSync(caFile)
    const origin = `https://localhost:${port}`
    const client = openHttp2({ origin, ca, connections, maxStreams: streams, transport, requestTimeoutMs: 30_000 })
    return {
      batch: 1,
      send: (push, done) =>
        client.request(request(push), (result) => done(result.kind === 'response' && result.status === 200 ? 1 : 0)),
      close: () => client.close(),
    }
  }

const id = randomUUID()

const apns = (push: number): Http2Request => ({
  path: `/3/device/${apnsToken(push)}`,
  headers: apnsHeaders,
  extra: [['apns-id', id]],
  body: JSON.stringify(apnsPayload(push)),
})

const fcm = (push: number): Http2Request => ({
  path: fcmPath,
  headers: fcmHeaders,
  body: JSON.stringify({ message: fcmMessage(push) }),
})

export const leanApns = open('lean', apns)
export const nodeApns = open('node', apns)
export const leanFcm = open('lean', fcm)

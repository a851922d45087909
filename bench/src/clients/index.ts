// All that can be measured, by the name it has in tables.
import type { OpenClient } from '../bench-client.ts'
import { leanApns, leanFcm, nodeApns } from './ours.ts'
import { apns2, bareHttp2, firebaseSend, firebaseSendEach, nodeApn, undici } from './peers.ts'
import { apnsProvider, fcmProvider, hmsProvider } from './providers.ts'

export const CLIENTS = {
  'ours, lean': leanApns,
  'ours, APNs provider': apnsProvider,
  'ours, node': nodeApns,
  'node:http2, bare': bareHttp2,
  'undici, h2': undici,
  'node-apn': nodeApn,
  apns2,
  'ours, lean (FCM)': leanFcm,
  'ours, FCM provider': fcmProvider,
  'firebase-admin send': firebaseSend,
  'firebase-admin sendEach': firebaseSendEach,
  'ours, HMS provider': hmsProvider,
} satisfies Record<string, OpenClient>

export type ClientName = keyof typeof CLIENTS

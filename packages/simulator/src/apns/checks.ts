// The checks APNs makes on a request, except the provider token. Pure.
// https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
import type { IncomingHttpHeaders } from 'node:http2'
import type { Reason } from './reasons.ts'

const DEVICE_PATH = '/3/device/'
const PUSH_TYPES = new Set([
  'alert',
  'background',
  'complication',
  'controls',
  'fileprovider',
  'liveactivity',
  'location',
  'mdm',
  'pushtotalk',
  'voip',
  'widgets',
])
const PRIORITIES = new Set(['1', '5', '10'])
const HEX = /^[0-9a-f]+$/i
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const BUNDLE = /^[A-Za-z0-9.-]{1,255}$/

/** The token of a request to a device; a Reason for any other request. */
export function findToken(method: string, path: string): { token: string } | Reason {
  if (method !== 'POST') return 'MethodNotAllowed'
  if (!path.startsWith(DEVICE_PATH)) return 'BadPath'
  // A copy: a slice would keep the whole path alive, in memory of the HTTP/2 library, for every token that is counted.
  return { token: Buffer.from(path).toString('latin1', DEVICE_PATH.length) }
}

/** `topics` are those the key may push to; undefined means any. */
export function findError(
  token: string,
  headers: IncomingHttpHeaders,
  topics: ReadonlySet<string> | undefined,
): Reason | undefined {
  if (token === '') return 'MissingDeviceToken'
  if (!HEX.test(token)) return 'BadDeviceToken'
  return findTopicFailure(text(headers['apns-topic']), topics) ?? findHeaderFailure(headers)
}

function findTopicFailure(topic: string | undefined, topics: ReadonlySet<string> | undefined): Reason | undefined {
  if (!topic) return 'MissingTopic'
  if (!BUNDLE.test(topic)) return 'BadTopic'
  return topics && !topics.has(topic) ? 'TopicDisallowed' : undefined
}

function findHeaderFailure(headers: IncomingHttpHeaders): Reason | undefined {
  const type = text(headers['apns-push-type'])
  const priority = text(headers['apns-priority'])
  const expiration = text(headers['apns-expiration'])
  const id = text(headers['apns-id'])
  const collapseId = text(headers['apns-collapse-id'])
  if (type !== undefined && !PUSH_TYPES.has(type)) return 'InvalidPushType'
  if (priority !== undefined && !PRIORITIES.has(priority)) return 'BadPriority'
  // Apple: priority 10 is an error for a background push. Without the header the priority is 10, which Apple lets pass.
  if (type === 'background' && priority === '10') return 'BadPriority'
  if (expiration !== undefined && !/^\d+$/.test(expiration)) return 'BadExpirationDate'
  if (id !== undefined && !UUID.test(id)) return 'BadMessageId'
  // Node gives header values as Latin-1, so the length is the number of bytes.
  if (collapseId !== undefined && collapseId.length > 64) return 'BadCollapseId'
  return undefined
}

/** `size` in bytes. */
export function findSizeFailure(size: number, headers: IncomingHttpHeaders): Reason | undefined {
  if (size === 0) return 'PayloadEmpty'
  return size > (headers['apns-push-type'] === 'voip' ? 5120 : 4096) ? 'PayloadTooLarge' : undefined
}

const text = (value: string | string[] | undefined) => (Array.isArray(value) ? value.join(', ') : value)

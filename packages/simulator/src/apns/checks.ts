// The checks APNs makes on a request, except the provider token. Pure.
// https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
import type { IncomingHttpHeaders } from 'node:http2'
import { isRecord } from '../json.ts'
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
  return findTopicFailure(headers, topics) ?? findHeaderFailure(headers)
}

/** What stands behind the bundle id in the topic of each push type. */
const SUFFIXES: Readonly<Record<string, string>> = {
  complication: '.complication',
  controls: '.push-type.controls',
  fileprovider: '.pushkit.fileprovider',
  liveactivity: '.push-type.liveactivity',
  location: '.location-query',
  pushtotalk: '.voip-ptt',
  voip: '.voip',
  widgets: '.push-type.widgets',
}

function findTopicFailure(headers: IncomingHttpHeaders, topics: ReadonlySet<string> | undefined): Reason | undefined {
  const topic = text(headers['apns-topic'])
  if (!topic) return 'MissingTopic'
  if (!BUNDLE.test(topic)) return 'BadTopic'
  const suffix = SUFFIXES[text(headers['apns-push-type']) ?? ''] ?? ''
  // The token of another kind of push is not for this topic.
  if (!topic.endsWith(suffix)) return 'DeviceTokenNotForTopic'
  return topics && !topics.has(topic.slice(0, topic.length - suffix.length)) ? 'TopicDisallowed' : undefined
}

/** Members of `aps` that a push of the type has to have, and must not have. */
const MEMBERS: Readonly<Record<string, { required: readonly string[]; refused?: readonly string[] }>> = {
  background: { required: ['content-available'], refused: ['alert', 'sound'] },
  controls: { required: ['content-changed'] },
  liveactivity: { required: ['timestamp', 'event', 'content-state'] },
  widgets: { required: ['content-changed'] },
}

/** Whether the payload is not of its push type. Apple says that such a push may be refused, and names no reason. */
export function findTypeFailure(
  payload: Readonly<Record<string, unknown>>,
  headers: IncomingHttpHeaders,
): Reason | undefined {
  const members = MEMBERS[text(headers['apns-push-type']) ?? '']
  if (!members) return undefined
  const aps = isRecord(payload['aps']) ? payload['aps'] : {}
  const has = (name: string) => aps[name] !== undefined
  return members.required.every(has) && !members.refused?.some(has) ? undefined : 'InvalidPushType'
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

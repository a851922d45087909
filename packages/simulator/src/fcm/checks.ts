// The checks FCM makes on a message. Pure.
// https://firebase.google.com/docs/cloud-messaging/error-codes and the reference of the message
import { isRecord, parseRecord, readText } from '../json.ts'
import { violationsOf, type ShapeViolation } from '../validation.ts'
import type { Body, Reply } from '../wire/http-exchange.ts'
import { fieldFailure, googleError, TOO_BIG, type FieldViolation } from './errors.ts'
import { memberOf } from './members.ts'
import { REQUEST } from './message.ts'

export interface SendRequest {
  /** The registration token, or the installation id. */
  token: string
  target: 'token' | 'fid'
  /** The message without its target. */
  payload: Record<string, unknown>
  /** Checked, but not delivered. */
  validateOnly: boolean
}

const PAYLOAD_BYTES = 4096
const TTL_SECONDS = 28 * 24 * 3600
const INSTALLATION_ID = /^[\w-]{22}$/
const TOKEN = /^[\x21-\x7e]{1,4096}$/
const RESERVED_KEY = /^(from|message_type|google\..*|gcm\..*)$/
const COLOR = /^#[0-9a-f]{6}$/i

export function readSend({ size, bytes }: Body): SendRequest | Reply {
  // Far beyond any limit: not even kept.
  if (size > bytes.length) return fieldFailure([TOO_BIG], { fcm: true })
  const request = parseRecord(bytes.toString())
  if (!request) return fieldFailure([{ description: 'Invalid JSON payload received.' }], { fcm: false })
  const violations = violationsOf(REQUEST, request)
  if (violations.length > 0) return fieldFailure(violations.map(describe), { fcm: false })
  const message = isRecord(request['message']) ? request['message'] : {}
  const { token, fid, ...payload } = message
  if (readText(token) && readText(fid)) return fieldFailure([TWO_RECIPIENTS], { fcm: false })
  const target = readText(fid) ? 'fid' : 'token'
  const recipient = readText(fid) || readText(token)
  if (!recipient) return fieldFailure([NO_RECIPIENT], { fcm: true })
  // FCM says of a malformed installation id what it says of one that is gone.
  if (target === 'fid' && !INSTALLATION_ID.test(recipient)) return googleError({ status: 404, code: 'UNREGISTERED' })
  if (!TOKEN.test(recipient)) return googleError({ status: 400, code: 'INVALID_ARGUMENT' })
  const failures = findFailures(payload)
  if (failures.length > 0) return fieldFailure(failures, { fcm: true })
  return payloadBytes(payload) > PAYLOAD_BYTES
    ? fieldFailure([TOO_BIG], { fcm: true })
    : { token: recipient, target, payload, validateOnly: memberOf(request, 'validate_only') === true }
}

/**
 * FCM counts the keys and values of data and notifications: https://firebase.google.com/docs/cloud-messaging/error-codes. Whether it counts
 * the options is not documented.
 */
function payloadBytes({ data, notification, android }: Record<string, unknown>): number {
  const own = isRecord(android) ? [android['data'], android['notification'], android['fcm_options']] : []
  return [data, notification, ...own].reduce<number>((bytes, part) => bytes + bytesOf(part), 0)
}

function bytesOf(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((bytes, item) => bytes + bytesOf(item), 0)
  if (!isRecord(value))
    return value === undefined || value === null
      ? 0
      : Buffer.byteLength(typeof value === 'string' ? value : JSON.stringify(value))
  return Object.entries(value).reduce((bytes, [key, member]) => bytes + Buffer.byteLength(key) + bytesOf(member), 0)
}

const TWO_RECIPIENTS: FieldViolation = {
  field: 'message',
  description: "Invalid value at 'message' (oneof), oneof field 'target' is already set.",
}
const NO_RECIPIENT: FieldViolation = { field: 'message', description: 'Recipient of the message is not set.' }

/** What Google's front end says of a request that does not have the API's format. */
function describe({ field, kind, expected, value }: ShapeViolation): FieldViolation {
  if (kind !== 'unknown') {
    return { field, description: `Invalid value at '${field}' (${expected}), ${JSON.stringify(value)}` }
  }
  const place = field === '' ? '' : ` at '${field}'`
  const description = `Invalid JSON payload received. Unknown name ${JSON.stringify(expected)}${place}: Cannot find field.`
  return field === '' ? { description } : { field, description }
}

/** Members that have the right format and are still refused. */
function findFailures(message: Record<string, unknown>): FieldViolation[] {
  const failures = findReservedKeys(message['data'], 'message.data')
  const { android } = message
  if (!isRecord(android)) return failures
  failures.push(...findReservedKeys(android['data'], 'message.android.data'))
  if (typeof android['ttl'] === 'string' && Number.parseFloat(android['ttl']) > TTL_SECONDS) {
    failures.push({ field: 'message.android.ttl', description: `TTL is not within 0 and ${TTL_SECONDS} seconds` })
  }
  const color = isRecord(android['notification']) ? android['notification']['color'] : undefined
  if (typeof color === 'string' && !COLOR.test(color)) {
    failures.push({ field: 'message.android.notification.color', description: 'Color is not of the form #rrggbb' })
  }
  return failures
}

function findReservedKeys(data: unknown, field: string): FieldViolation[] {
  if (!isRecord(data)) return []
  const keys = Object.keys(data).filter((key) => RESERVED_KEY.test(key))
  return keys.map((key) => ({ field, description: `Invalid data payload key: ${key}` }))
}

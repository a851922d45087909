// The raw block of a message for FCM: what it may say, and how it is merged. Its target is never in the merged object: FCM takes the
// last of two members of one name, and the token is written first. Pure.
import type { MessageBody } from '@push-server/contract'
import { headerProblems } from '../apns/raw-block.ts'
import type { PayloadProblem } from '../payload-limits.ts'
import { having, isObject, mergePatch, onlyOf } from '../raw-blocks/merge-patch.ts'
import { kept, objectProblems, strangers, unsafeProblem } from '../raw-blocks/problems.ts'

type Json = Record<string, unknown>

const ALLOWED = ['data', 'notification', 'android', 'webpush', 'fcm_options', 'apns'] as const
/** Whose members have names of the caller's: in all others a name in camel case doubles one in snake case. */
const FREE = /^body\.fcm\.(?:data|android\.data|webpush\.(?:data|headers|notification)|apns\.(?:payload|headers))$/
/** https://firebase.google.com/docs/cloud-messaging/customize-messages/set-message-type */
export const RESERVED = /^(?:from|message_type|gcm|gcm\..*|google\..*)$/s

/** Of the block by itself, whatever message it stands in. */
export function rawFcmProblems(block: MessageBody['fcm']): PayloadProblem[] {
  if (!block) return []
  const unsafe = unsafeProblem('body.fcm', block)
  if (unsafe) return [unsafe]
  const { android, apns } = block
  return [
    ...strangers('body.fcm', block, ALLOWED),
    ...objectProblems('body.fcm', block, ALLOWED),
    ...kept('body.fcm', block, 'android'),
    ...doubles('body.fcm', block),
    ...dataProblems('body.fcm.data', block['data']),
    ...(isObject(android) ? androidProblems(android) : []),
    ...(isObject(apns) ? apnsProblems(apns) : []),
  ]
}

function doubles(field: string, value: unknown): PayloadProblem[] {
  if (FREE.test(field) || typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    const path = Array.isArray(value) ? `${field}[${name}]` : `${field}.${name}`
    return /[A-Z]/.test(name) ? [{ field: path, hint: 'must be named in snake case' }] : doubles(path, inner)
  })
}

const androidProblems = (android: Json) => [
  ...(Object.hasOwn(android, 'restricted_package_name')
    ? [{ field: 'body.fcm.android.restricted_package_name', hint: 'must not be set' }]
    : []),
  ...objectProblems('body.fcm.android', android, ['data', 'notification', 'fcm_options']),
  ...dataProblems('body.fcm.android.data', android['data']),
]

const apnsProblems = (apns: Json) => [
  ...strangers('body.fcm.apns', apns, ['headers', 'payload', 'fcm_options']),
  ...objectProblems('body.fcm.apns', apns, ['headers', 'payload', 'fcm_options']),
  ...(isObject(apns['headers']) ? headerProblems('body.fcm.apns.headers', apns['headers']) : []),
]

function dataProblems(field: string, data: unknown): PayloadProblem[] {
  if (!isObject(data)) return []
  return Object.entries(data).flatMap(([name, value]) => {
    if (RESERVED.test(name)) return [{ field: `${field}.${name}`, hint: 'must not be named so: FCM reserves it' }]
    return value === null || typeof value === 'string' ? [] : [{ field: `${field}.${name}`, hint: 'must be a text' }]
  })
}

/** The sections of a message with the block merged over them. Nothing but sections is left of it, so no target, whoever let one pass. */
export function mergeRawFcm<T extends object>({ fcm }: MessageBody, sections: T): T {
  if (!fcm) return sections
  return having('android', onlyOf(ALLOWED, mergePatch(sections, fcm))) as T
}

/** Bytes of keys and values, at every depth: what FCM counts, and what is not documented counts as well. */
export function countedBytes(value: unknown): number {
  if (value === undefined || value === null) return 0
  if (Array.isArray(value)) return value.reduce<number>((bytes, item) => bytes + countedBytes(item), 0)
  if (isObject(value))
    return Object.entries(value).reduce((bytes, [name, inner]) => {
      return inner === undefined ? bytes : bytes + Buffer.byteLength(name) + countedBytes(inner)
    }, 0)
  return Buffer.byteLength(typeof value === 'string' ? value : JSON.stringify(value))
}

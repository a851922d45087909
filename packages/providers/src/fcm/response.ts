// Reads a response of FCM. No member of it is relied on. Pure.
import type { Http2Response } from '../chunk-push.ts'
import { jsonObject } from '../json-object.ts'
import type { FcmResponse } from './outcome.ts'

type Members = Readonly<Record<string, unknown>>

export function readResponse({ status, headers, body }: Http2Response): FcmResponse {
  const document = jsonObject(body)
  if (status === 200) return { status, name: text(document['name']) }
  const error = members(document['error'])
  const details = list(error['details'])
  return {
    status,
    retryAfter: headers['retry-after'],
    errorCode: text(detail(details, 'fcm.v1.FcmError')['errorCode']),
    rpcStatus: text(error['status']),
    message: text(error['message']),
    badFields: list(detail(details, 'google.rpc.BadRequest')['fieldViolations']).map(({ field }) => text(field) ?? ''),
    isDeviceQuota: list(detail(details, 'google.rpc.QuotaFailure')['violations']).some(isOfDevice),
  }
}

const members = (value: unknown): Members => Object(value)
const list = (value: unknown): readonly Members[] => (Array.isArray(value) ? value.map(members) : [])
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** The first detail of that type, a name in a URL (https://protobuf.dev/reference/protobuf/google.protobuf/#any). */
const detail = (details: readonly Members[], type: string): Members =>
  members(details.find((candidate) => text(candidate['@type'])?.endsWith(type)))

/** The violation names its quota in no documented format. It can be the project's, a topic's or a device's. */
const isOfDevice = ({ subject, description }: Members): boolean =>
  /device/i.test(`${text(subject) ?? ''} ${text(description) ?? ''}`)

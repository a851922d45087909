// An answer of FCM as it came over the wire, read. Nothing in it is taken for granted. Pure.
import type { Http2Response } from '../chunk-push.ts'
import type { FcmResponse } from './outcome.ts'

type Members = Readonly<Record<string, unknown>>

export function readResponse({ status, headers, body }: Http2Response): FcmResponse {
  const document = parse(body)
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

function parse(body: string): Members {
  try {
    return members(JSON.parse(body))
  } catch {
    // A page of some proxy on the way: its status says all there is to know.
    return {}
  }
}

const members = (value: unknown): Members => Object(value)
const list = (value: unknown): readonly Members[] => (Array.isArray(value) ? value.map(members) : [])
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** The first detail of that type, a name in a URL (https://protobuf.dev/reference/protobuf/google.protobuf/#any). */
const detail = (details: readonly Members[], type: string): Members =>
  members(details.find((candidate) => text(candidate['@type'])?.endsWith(type)))

/** Google documents that a violation says which quota it is, not how: it can be the project's, a topic's or a device's. */
const isOfDevice = ({ subject, description }: Members): boolean =>
  /device/i.test(`${text(subject) ?? ''} ${text(description) ?? ''}`)

// Error responses of FCM: Google's error with details, https://firebase.google.com/docs/cloud-messaging/error-codes
import type { Response } from '../behaviour.ts'
import { gatewayReply, jsonReply, retryHeader, type Reply } from '../wire/http-exchange.ts'

/** FCM's own codes with their texts. They come in a detail of type FcmError. */
const MESSAGES: Readonly<Record<string, string>> = {
  INVALID_ARGUMENT: 'The registration token is not a valid FCM registration token',
  SENDER_ID_MISMATCH: 'SenderId mismatch',
  UNREGISTERED: 'Requested entity was not found.',
  QUOTA_EXCEEDED: 'Message rate exceeded.',
  INTERNAL: 'Internal error encountered.',
  UNAVAILABLE: 'The service is currently unavailable.',
  THIRD_PARTY_AUTH_ERROR: 'Auth error from APNS or Web Push Service',
  UNSPECIFIED_ERROR: 'Unspecified error.',
}

/** Google's word for a status; FCM's own code of that status is in the details, if there is one. */
const WORDS: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
}

/** The usual code of a status, with its own status: for prefixes, and for scripted responses without a reason. */
const USUAL: Readonly<Record<number, { status: number; code: string }>> = {
  400: { status: 400, code: 'INVALID_ARGUMENT' },
  401: { status: 401, code: 'UNAUTHENTICATED' },
  403: { status: 403, code: 'SENDER_ID_MISMATCH' },
  404: { status: 404, code: 'UNREGISTERED' },
  410: { status: 404, code: 'UNREGISTERED' },
  429: { status: 429, code: 'QUOTA_EXCEEDED' },
  500: { status: 500, code: 'INTERNAL' },
  503: { status: 503, code: 'UNAVAILABLE' },
}

export interface FieldViolation {
  field?: string
  description: string
}

export const TOO_BIG: FieldViolation = { field: 'message', description: 'Android message is too big' }

/** A refusal as a prefix or a script requires it. */
export function toRefusal({ status, reason, retryAfter }: Response): Reply {
  const headers = retryHeader(retryAfter)
  if (reason !== undefined) return googleError({ status, code: reason, headers })
  if (status === 413) return fieldFailure([TOO_BIG], { fcm: true })
  const usual = USUAL[status]
  return usual ? googleError({ ...usual, headers }) : gatewayReply(status, headers)
}

interface GoogleError {
  status: number
  /** FCM's own code, or any other word of Google's. */
  code: string
  message?: string
  details?: readonly object[]
  headers?: Reply['headers']
}

export function googleError({ status, code, message, details = [], headers }: GoogleError): Reply {
  const ours = code in MESSAGES ? [fcmError(code)] : []
  const error = {
    code: status,
    message: message ?? MESSAGES[code] ?? code,
    status: ours.length > 0 ? (WORDS[status] ?? 'UNKNOWN') : code,
    details: [...details, ...ours],
  }
  return jsonReply(status, { error }, headers)
}

/**
 * An error in the request. Google's front end finds errors of format. Errors that FCM itself finds (`fcm`) have its own code as
 * well.
 */
export function fieldFailure(fieldViolations: readonly FieldViolation[], { fcm }: { fcm: boolean }): Reply {
  const message = fieldViolations.map(({ description }) => description).join('\n')
  const details: object[] = [{ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations }]
  if (fcm) details.push(fcmError('INVALID_ARGUMENT'))
  return jsonReply(400, { error: { code: 400, message, status: 'INVALID_ARGUMENT', details } })
}

const fcmError = (errorCode: string) => ({
  '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError',
  errorCode,
})

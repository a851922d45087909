// The error catalogue: every code with its HTTP status, and the texts that existing clients know literally.
import type { ErrorResponse, Violation } from './envelope.ts'

export const ERROR_STATUS = {
  ERROR_GENERIC: 400,
  ERROR_REQUEST: 400,
  ERROR_UNAUTHORIZED: 401,
  ERROR_FORBIDDEN: 403,
  ERROR_APP_NOT_FOUND: 400,
  ERROR_MESSAGE_NOT_FOUND: 400,
  ERROR_NOT_FOUND: 404,
  ERROR_METHOD_NOT_ALLOWED: 405,
  ERROR_DATA_INTEGRITY: 409,
  ERROR_IDEMPOTENCY: 409,
  ERROR_TOO_LARGE: 413,
  ERROR_TOO_MANY_REQUESTS: 429,
  ERROR_UNAVAILABLE: 503,
} as const
export type ErrorCode = keyof typeof ERROR_STATUS

/** A response that is not OK. Thrown anywhere, turned into the envelope in one place. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: ErrorCode
  readonly statusCode: number
  readonly violations: readonly Violation[] | undefined
  /** Seconds, for the Retry-After header. */
  readonly retryAfter: number | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause })
    this.code = code
    this.statusCode = details.statusCode ?? ERROR_STATUS[code]
    this.violations = details.violations
    this.retryAfter = details.retryAfter
  }
}

export interface ErrorDetails {
  statusCode?: number
  violations?: readonly Violation[]
  retryAfter?: number
  cause?: unknown
}

/** An error as the body of its response. */
export const errorResponse = ({ code, message, violations }: ApiError): ErrorResponse => ({
  status: 'ERROR',
  responseObject: { code, message, ...(violations && { violations: [...violations] }) },
})

/** 400 ERROR_GENERIC: a business rule refuses the request, with its literal text. */
export const refusal = (message: string, cause?: unknown) => new ApiError('ERROR_GENERIC', message, { cause })

/** The same, where the literal text does not say which member would have helped. */
export const refusalNaming = (message: string, violations: readonly Violation[]) =>
  new ApiError('ERROR_GENERIC', message, { violations })

/** 400 ERROR_APP_NOT_FOUND: an inbox request names an application that is not configured. */
export const applicationNotFound = (message: string) => new ApiError('ERROR_APP_NOT_FOUND', message)

/** 400 ERROR_MESSAGE_NOT_FOUND: there is no such inbox message. */
export const inboxMessageNotFound = (message: string) => new ApiError('ERROR_MESSAGE_NOT_FOUND', message)

/** 400 ERROR_REQUEST: the format of the request is invalid, each error by its field. */
export const invalidRequest = (violations: readonly Violation[], cause?: unknown) =>
  new ApiError('ERROR_REQUEST', 'Invalid method parameter value', { violations, cause })

/** 500 with a fixed text: the log has the error. */
export const internalError = (cause: unknown) =>
  new ApiError('ERROR_GENERIC', 'Internal server error', { statusCode: 500, cause })

/** 401: the request has no valid API key. */
export const unauthorized = (message: string) => new ApiError('ERROR_UNAUTHORIZED', message)

/** 403: the caller's key is valid and does not permit this request. */
export const forbidden = (message: string) => new ApiError('ERROR_FORBIDDEN', message)

/** 429: the client should retry after `retryAfter` seconds. */
export const tooManyRequests = (message: string, retryAfter: number) =>
  new ApiError('ERROR_TOO_MANY_REQUESTS', message, { retryAfter })
export const notFound = (message: string) => new ApiError('ERROR_NOT_FOUND', message)
/** 409: another request was stored first, and this one contradicts it. */
export const conflict = (cause: unknown) =>
  new ApiError('ERROR_DATA_INTEGRITY', 'The request conflicts with another one; nothing was stored', { cause })

/** 503: the client should retry after `retryAfter` seconds. Nothing was stored, unless the message says that it may have been. */
export const unavailable = (message: string, retryAfter: number, cause?: unknown) =>
  new ApiError('ERROR_UNAVAILABLE', message, { retryAfter, cause })

/** Literal texts (reference behaviour), by subject. */
export const TEXT = {
  objectMissing: 'Request object must not be empty',
  requestMissing: 'Request must not be null.',
  appIdMissing: 'App ID must not be null.',
  activationIdMissing: 'Activation ID must not be null.',
  activationIdsNull: 'Activation ID list must not be null.',
  activationIdsEmpty: 'Activation ID list must not empty.',
  platformMissing: 'Platform must not be null.',
  tokenMissing: 'Push token must not be null or empty.',
  environmentUnsupported: 'Environment specified for a platform that does not support environment setting.',
  applicationUnknown: 'Application with given ID does not exist',
  applicationExists: 'Application already exists',
  applicationSending: (campaignId: number) =>
    `Application cannot be removed while its campaign ${campaignId} is being sent: cancel the run first, or wait for its end`,
  credentialsUnknown: (appId: string) => `Application credentials with entered ID: ${appId} does not exist`,
  credentialsMissing: (appId: string, platform: string) => `Application ${appId} has no credentials for ${platform}`,
  credentialsUnchecked: (platform: string) =>
    `No worker of ${platform} has checked the credentials in time: none is running, or all are busy with other checks`,
  sendApplicationUnknown: (appId: string) => `AppCredentials not found: ${appId}`,
  bundleMissing: 'Bundle must not be empty.',
  keyIdMissing: 'Key ID must not be empty.',
  teamIdMissing: 'Team ID must not be empty.',
  projectIdMissing: 'Project ID must not be empty.',
  privateKeyMissing: 'Private key must not be empty.',
  deviceTokenShared:
    'Multiple device registrations found for push token. Use the /push/device/create/multi endpoint for this scenario.',
  activationNotActive: 'Device registration failed because associated activation is not ACTIVE',
  activationRemoved: 'Device registration failed because associated activation is REMOVED',
  activationNotFound: 'Device registration failed because associated activation was not found',
  activationOfOther: 'Device registration failed because activation belongs to another application',
  activationUnknown: 'Device registration failed because activation status is unknown',
  registrationFailed: 'Device registration failed',
  multipleActivationsDisabled: 'Registration of multiple associated activations per device is not enabled.',
  statusUnknown: 'Update device status failed because activation status is unknown',
  unconfiguredUnknown: 'Unconfigured application list failed because application name could not be retrieved',
  messageMissing: 'Message must not be empty',
  messageBodyMissing: 'Push message payload (body) must not be null.',
  messageUserMissing: 'Push message must contain a user ID.',
  messageNull: 'Push message must not be null.',
  userEmpty: 'No userId was specified',
  batchMissing: 'Batch must not be empty',
  batchEmpty: 'There are no push messages in the batch.',
  batchTooLarge: (most: number) =>
    `Too many messages in batch - do no send more than ${most} messages at once to avoid server congestion.`,
  batchItem: (index: number, nested: string) =>
    `Push message at index: ${index} is not valid. Nested error is: ${nested}`,
  unconfirmed: 'The database did not confirm the request: it may have been stored',
  messageUnconfirmed:
    'The database did not confirm the request: it may have been stored. Without an Idempotency-Key a repeat may be delivered as well',
  messageUnconfirmedUnderKey:
    'The database did not confirm the request: it may have been stored. Repeat it under the same Idempotency-Key, then it is stored once',
  messageUnknown: 'There is no message with this id',
  resendContentGone: 'The content of this message is not kept any more: it cannot be sent again',
  resendExpired: 'This message was valid until a time that has passed: it cannot be sent again',
  resendUnderWay: 'This message is being sent again at this moment; nothing was stored',
  resendNobody: 'There is no device to send this message to again: each one has it, or is still being pushed to',
  keyTaken: 'The Idempotency-Key was used for another request',
  campaignMessageMissing: 'You must specify a push campaign message payload.',
  campaignApplicationUnknown: (appId: string) =>
    `Application with a provided PowerAuth app ID does not exist: ${appId}`,
  campaignUnknown: 'Campaign with entered ID does not exist',
  campaignUsersMissing: 'Empty requestObject data',
  campaignTestUserMissing: 'Request must contain a user ID.',
  campaignSent: 'Campaign was already sent',
  campaignBegan: (state: string) =>
    `Campaign is ${state}, and may have reached some: say with resend whom to send it to`,
  campaignIs: (state: string) => `Campaign is ${state}`,
  inboxApplicationsUnknown: 'Application list contained an app that is not configured in the system.',
  inboxApplicationUnknown: (appId: string) => `Application was not found: ${appId}`,
  inboxMessageUnknown: (id: string) => `Unable to fetch message: ${id}.`,
  inboxMessageUndeleted: (id: string) => `Unable to delete message: ${id}.`,
  inboxMessageUnmarked: (id: string) => `Unable to mark message: ${id} as read.`,
} as const

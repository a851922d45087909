// The responses that a route declares. What each of them means to readers, and the headers of errors: `shared-responses.ts`.
import { ErrorResponse, Ok } from '@push-server/contract'
import type { TSchema } from 'typebox'

const errors = { '4xx': ErrorResponse, '5xx': ErrorResponse }

export const responses = <T extends TSchema>(success: T) => ({ 200: success, ...errors })
export const OK_RESPONSES = responses(Ok)

/** Of routes whose path names a thing that may not exist. */
export const responsesOrNotFound = <T extends TSchema>(success: T) => ({ ...responses(success), 404: ErrorResponse })

/** Of imports, whose bodies have limits of time. */
export const importResponses = <T extends TSchema>(success: T) => ({ ...responses(success), 408: ErrorResponse })

const PREFERENCES = ['X-Push-Warnings', 'Preference-Applied']
const RATE_LIMIT = ['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset']

/** With the headers that say what became of members that nobody reads; for the description alone. */
export const withPreferences = <T extends TSchema>(success: T) => ({ ...success, 'x-headers': PREFERENCES })

/** Of routes that send messages, which quotas and the backlog limit. The headers are for the description alone. */
export const sendResponses = <T extends TSchema>(success: T) => ({
  ...responses({ ...success, 'x-headers': [...RATE_LIMIT, ...PREFERENCES] }),
  409: ErrorResponse,
})

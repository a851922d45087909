// The responses that a route declares beside its own.
import { ErrorResponse, Ok } from '@push-server/contract'
import Type, { type TSchema } from 'typebox'

const errors = { '4xx': ErrorResponse, '5xx': ErrorResponse }

export const responses = <T extends TSchema>(success: T) => ({ 200: success, ...errors })
export const OK_RESPONSES = responses(Ok)

const integer = (description: string) => ({ type: 'integer', description })
const RETRY_AFTER = { 'Retry-After': integer('Seconds to wait before the request is sent again.') }
const RATE_LIMIT = {
  'RateLimit-Limit': integer('Messages that the tightest quota of key and application allows at once.'),
  'RateLimit-Remaining': integer('Messages that it allows now.'),
  'RateLimit-Reset': integer('Seconds until it allows all of them again.'),
}

const text = (description: string) => ({ type: 'string', description })
const PREFERENCES = {
  'X-Push-Warnings': text(
    'Members that were ignored, percent-encoded and separated by commas; `+3` stands for three more.',
  ),
  'Preference-Applied': text('`handling=strict` when the request was handled so.'),
}

/** With the headers that say what became of members that nobody reads; for the description alone. */
export const withPreferences = <T extends TSchema>(success: T) => ({ ...success, headers: PREFERENCES })

const error = (description: string, headers: object) => ({
  description,
  headers,
  content: { 'application/json': { schema: ErrorResponse } },
})

/** Of routes that send messages, which quotas and the backlog limit. The headers are for the description alone. */
export const sendResponses = <T extends TSchema>(success: T) => ({
  ...errors,
  200: { ...success, headers: { ...RATE_LIMIT, ...PREFERENCES } },
  429: error('A quota of the key or of the application is used up; nothing was stored.', {
    ...RETRY_AFTER,
    ...RATE_LIMIT,
  }),
  503: error(
    'Too many requests are under way, the backlog limit is reached, or the database is unavailable.',
    RETRY_AFTER,
  ),
})

/** Has pages when the request asks for pages; otherwise the response holds everything. */
export const PerhapsPaged = <T extends TSchema>(responseObject: T) =>
  Type.Object({
    status: Type.Literal('OK'),
    page: Type.Optional(Type.Integer({ examples: [0] })),
    size: Type.Optional(Type.Integer({ examples: [20] })),
    responseObject,
  })

// The responses that operations have in common: one for each status, with its headers and examples. Pure.
import { errorExamples } from './examples.ts'

interface SharedResponse {
  name: string
  description: string
  headers?: readonly string[]
}

const NOTHING = 'Nothing was changed.'

const SHARED: Readonly<Record<string, SharedResponse>> = {
  400: { name: 'BadRequest', description: `A rule refuses the request, or its format is wrong. ${NOTHING}` },
  401: {
    name: 'Unauthorized',
    description: `The request has no valid API key. ${NOTHING}`,
    headers: ['WWW-Authenticate'],
  },
  403: {
    name: 'Forbidden',
    description: `The API key lacks the scope or the application, or a page that may not call this server sent the request. ${NOTHING}`,
  },
  404: { name: 'NotFound', description: 'There is nothing at this path, or nothing with this identifier (any more).' },
  405: { name: 'MethodNotAllowed', description: 'The path does not take this method.', headers: ['Allow'] },
  408: { name: 'TooSlow', description: 'The body came too slowly: the message names the limit. Nothing was kept.' },
  409: {
    name: 'Conflict',
    description: `Another request was stored first and contradicts this one, or the Idempotency-Key was used for another request. ${NOTHING}`,
  },
  413: { name: 'TooLarge', description: `The body is larger, or holds more, than the message names. ${NOTHING}` },
  415: {
    name: 'UnsupportedMediaType',
    description: `The operation does not take this content type, charset or content encoding. ${NOTHING}`,
  },
  429: {
    name: 'TooManyRequests',
    description: `A quota of the key or of the application is used up, or too many requests without a valid key came from this address. ${NOTHING}`,
    headers: ['Retry-After', 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'],
  },
  503: {
    name: 'Unavailable',
    description:
      'Too many requests are under way, the backlog limit is reached, the database is unavailable, or the gateway is stopping. Nothing was stored, unless `message` says that it may have been.',
    headers: ['Retry-After'],
  },
  '4XX': {
    name: 'Refused',
    description: `The request is refused for another reason, which the message names. ${NOTHING}`,
  },
  '5XX': {
    name: 'Failed',
    description: 'The server failed. Its log has the reason under the X-Correlation-ID of the response.',
  },
}

const text = (description: string, example: string) => ({
  description,
  schema: { type: 'string', examples: [example] },
})
const integer = (description: string, example: number) => ({
  description,
  schema: { type: 'integer', minimum: 0, examples: [example] },
})

export const CORRELATION_ID = 'X-Correlation-ID'

/** By name; those of quotas come with requests that send messages alone. */
const HEADERS: Readonly<Record<string, object>> = {
  [CORRELATION_ID]: text(
    'Identifier of the request, which the log has too: that of its own X-Correlation-ID, if it had a valid one.',
    '6f1e0a54-3c1d-4c38-9a3b-6f2f4f1f8f0e',
  ),
  Allow: text('Methods that the path takes.', 'PUT, POST'),
  'WWW-Authenticate': text('Schemes by which a key may be sent.', 'Bearer realm="push-server"'),
  'Retry-After': integer('Seconds to wait before the request is sent again.', 5),
  'RateLimit-Limit': integer('Messages that the tightest quota of key and application allows at once.', 50),
  'RateLimit-Remaining': integer('Messages that it allows now.', 49),
  'RateLimit-Reset': integer('Seconds until it allows all of them again.', 1),
  'X-Push-Warnings': text(
    'Members that were ignored, percent-encoded and separated by commas; `+3` stands for three more.',
    'requestObject.badge',
  ),
  'Preference-Applied': text('`handling=strict` when the request was handled so.', 'handling=strict'),
  'X-Message-Ids': text(
    'Identifiers of the messages, in the order of the request, separated by commas; at most 50.',
    '0199b1e5-5f0f-7a3e-8a65-4c1d6f2b7a90',
  ),
  'X-Message-Ids-Omitted': integer('Number of messages, in place of `X-Message-Ids` when there are more than 50.', 51),
}

export const headersNamed = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))

export const isShared = (status: string) => status in SHARED

export const sharedResponse = (status: string) => ({ $ref: `#/components/responses/${SHARED[status]?.name ?? ''}` })

/** Those that the operations refer to. `schema`: of the body of an error. */
export function sharedComponents(operations: unknown, schema: object) {
  const responses = namedIn(
    operations,
    'responses',
    Object.fromEntries(
      Object.entries(SHARED).map(([status, shared]) => [shared.name, responseOf(status, shared, schema)]),
    ),
  )
  return { responses, headers: namedIn([operations, responses], 'headers', HEADERS) }
}

const responseOf = (status: string, { description, headers = [] }: SharedResponse, schema: object) => ({
  description,
  headers: headersNamed([CORRELATION_ID, ...headers]),
  content: { 'application/json': { schema, examples: errorExamples(status) } },
})

function namedIn<T>(
  users: unknown,
  kind: 'responses' | 'headers',
  all: Readonly<Record<string, T>>,
): Record<string, T> {
  const text = JSON.stringify(users)
  return Object.fromEntries(Object.entries(all).filter(([name]) => text.includes(`"#/components/${kind}/${name}"`)))
}

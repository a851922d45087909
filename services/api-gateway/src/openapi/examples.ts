// Examples of whole requests and responses, made of those of their members, and of error responses. Pure.
import {
  ApiError,
  errorResponse,
  forbidden,
  internalError,
  invalidRequest,
  notFound,
  refusal,
  TEXT,
  tooManyRequests,
  unauthorized,
  unavailable,
  type ErrorCode,
} from '@push-server/contract'
import type { Schema } from './schema.ts'

/** All required members, and of the others those that have an example. */
export function exampleOf(schema: Schema): unknown {
  const [first] = schema.examples ?? []
  if (first !== undefined) return first
  if (schema.const !== undefined) return schema.const
  const kind = chosen(schema)
  if (kind !== schema) return exampleOf(kind)
  if (schema.type === 'array') return exampleOfArray(schema)
  if (schema.type === 'object') return exampleOfObject(schema)
  return schema.default ?? schema.enum?.[0] ?? (schema.type === 'boolean' ? false : schema.type === 'integer' ? 0 : '')
}

const exampleOfArray = ({ items = {}, minItems = 0 }: Schema) =>
  minItems > 0 || isInformative(items) ? [exampleOf(items)] : []

function exampleOfObject({ properties = {}, required = [] }: Schema) {
  const shown = Object.entries(properties).filter(([name, member]) => required.includes(name) || isInformative(member))
  return Object.fromEntries(shown.map(([name, member]) => [name, exampleOf(member)]))
}

/** Of a member that may be null too, the other form. */
const chosen = (schema: Schema): Schema => schema.anyOf?.find(({ type }) => type !== 'null') ?? schema

function isInformative(schema: Schema): boolean {
  if (schema.examples || schema.const !== undefined) return true
  const kind = chosen(schema)
  if (kind !== schema) return isInformative(kind)
  const { properties = {}, required = [] } = schema
  return required.length > 0 && required.every((name) => isInformative(properties[name] ?? {}))
}

const of = (code: ErrorCode, message: string) => new ApiError(code, message)
const example = (summary: string, error: ApiError) => ({ summary, value: errorResponse(error) })

const QUOTA = 'The quota of this API key is 50 messages a second; nothing was stored'
const BUSY = 'As many requests as REQUEST_LIMIT (1000) allows are under way; nothing was stored'

const ERRORS: Readonly<Record<string, Record<string, object>>> = {
  '400': {
    refused: example('A rule of the business', refusal(TEXT.applicationUnknown)),
    malformed: example(
      'The form of the request',
      invalidRequest([{ fieldName: 'requestObject.appId', hint: 'size must be at most 255' }]),
    ),
  },
  '401': { keyless: example('No key', unauthorized('This API key is not valid')) },
  '403': { scope: example('Another scope', forbidden('This API key lacks the scope admin.')) },
  '404': { message: example('No such message', notFound(TEXT.messageUnknown)) },
  '405': { method: example('Another method', of('ERROR_METHOD_NOT_ALLOWED', 'This path takes PUT, POST')) },
  '408': {
    slow: example(
      'A slow sender',
      of('ERROR_REQUEST', 'The body came too slowly: silent for IMPORT_IDLE (30000 ms); nothing was kept'),
    ),
  },
  '409': { key: example('A key that was used', of('ERROR_IDEMPOTENCY', TEXT.keyTaken)) },
  '413': {
    large: example(
      'A large body',
      of('ERROR_TOO_LARGE', 'The request body is larger than 1048576 bytes, the limit of this operation'),
    ),
  },
  '415': { charset: example('Another charset', of('ERROR_REQUEST', 'The charset of the body must be UTF-8')) },
  '429': { quota: example('A quota is used up', tooManyRequests(QUOTA, 2)) },
  '503': {
    busy: example('Too much at once', unavailable(BUSY, 2)),
    unavailable: example('Nothing was stored; come again', unavailable('The database is out of reach', 5)),
    unconfirmed: example('Nobody knows', unavailable(TEXT.unconfirmed, 5)),
  },
  '4XX': { path: example('Another path', notFound('There is nothing at this path')) },
  '5XX': { internal: example('An error of the server', internalError(undefined)) },
}

export const errorExamples = (status: string) => ERRORS[status]

// Examples of whole requests and responses, made of those of their members, and of error responses. Pure.
import {
  errorResponse,
  invalidRequest,
  refusal,
  TEXT,
  tooManyRequests,
  unavailable,
  type ApiError,
} from '@push-server/contract'

/** What there is of JSON Schema in our descriptions. */
export interface Schema {
  title?: string
  type?: string
  anyOf?: Schema[]
  items?: Schema
  minItems?: number
  properties?: Record<string, Schema>
  required?: string[]
  patternProperties?: Record<string, Schema>
  examples?: unknown[]
  enum?: unknown[]
  const?: unknown
  default?: unknown
  $ref?: string
}

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

const example = (summary: string, error: ApiError) => ({ summary, value: errorResponse(error) })

const QUOTA = 'The quota of this API key is 50 messages a second; nothing was stored'
const BUSY = 'As many requests as REQUEST_LIMIT (1000) allows are under way; nothing was stored'

const ERRORS: Readonly<Record<string, Record<string, object>>> = {
  '4XX': {
    refused: example('A rule of the business', refusal(TEXT.applicationUnknown)),
    malformed: example(
      'The form of the request',
      invalidRequest([{ fieldName: 'requestObject.appId', hint: 'size must be at most 255' }]),
    ),
  },
  '429': { quota: example('A quota is used up', tooManyRequests(QUOTA, 2)) },
  '503': { busy: example('Too much at once', unavailable(BUSY, 2)) },
  '5XX': {
    unavailable: example('Nothing was stored; come again', unavailable('The database is out of reach', 5)),
    unconfirmed: example('Nobody knows', unavailable(TEXT.unconfirmed, 5)),
  },
}

export const errorExamples = (status: string) => ERRORS[status.toUpperCase()]

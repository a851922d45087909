// From the validator's errors to violations that name field and hint. Pure.
import { forbidsBlank, type Violation } from '@push-server/contract'
import type { ErrorObject } from 'ajv'
import type { Schema } from './schema.ts'

/** `applications`, `0` become `applications[0]`. Names come from the schema or from the request. */
export const fieldNameOf = (path: readonly (string | number)[]): string =>
  path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`))
    .join('')
    .replace(/^\./, '')

/** Of a value that may be null too, the error of the other alternative is the one that helps. */
const isNoise = ({ keyword, params }: ErrorObject) =>
  keyword === 'anyOf' || (keyword === 'type' && params.type === 'null')

/** What is wrong with the value at `path`. `whole` names a value without a path: body, querystring, params. */
export function violationsOf(
  errors: readonly ErrorObject[],
  schema: Schema,
  { path, whole }: { path: readonly (string | number)[]; whole: string },
): Violation[] {
  const telling = errors.filter((error) => !isNoise(error))
  return (telling.length > 0 ? telling : errors).map((error) => ({
    fieldName: fieldNameOf([...path, ...keysOf(error)]) || whole,
    hint: hintOf(error, schema),
  }))
}

/** Keys below the value: of one of its alternatives, or of a member that is missing. */
function keysOf(error: ErrorObject): (string | number)[] {
  const keys = error.instancePath.split('/').slice(1).map(keyOf)
  return error.keyword === 'required' ? [...keys, missingOf(error)] : keys
}

const keyOf = (part: string) => (/^\d+$/.test(part) ? Number(part) : part.replaceAll('~1', '/').replaceAll('~0', '~'))

const missingOf = ({ params }: ErrorObject) => String(params.missingProperty)

function hintOf(error: ErrorObject, schema: Schema): string {
  const { keyword, params, message = 'is not valid' } = error
  switch (keyword) {
    case 'required':
      return forbidsBlank(schema.properties?.[missingOf(error)]?.pattern) ? 'must not be blank' : 'must not be null'
    case 'pattern':
      return forbidsBlank(params.pattern) ? 'must not be blank' : message
    case 'minLength':
    case 'minItems':
      return params.limit === 1 ? 'must not be empty' : `size must be at least ${String(params.limit)}`
    case 'maxLength':
    case 'maxItems':
      return `size must be at most ${String(params.limit)}`
    case 'x-max-units':
      return `size must be at most ${schema['x-max-units'] ?? 'its limit'}`
    case 'enum':
      return `must be one of ${(params.allowedValues as unknown[]).join(', ')}`
    default:
      return message
  }
}

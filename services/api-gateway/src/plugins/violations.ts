// From the validator's errors to violations that name field and hint. Pure.
import type { Violation } from '@push-server/contract'
import type { FastifySchemaValidationError } from 'fastify'

const MOST_VIOLATIONS = 20

/** `/requestObject/applications/0` becomes `requestObject.applications[0]`. */
const fieldNameOf = (instancePath: string) =>
  instancePath
    .split('/')
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part.replaceAll('~1', '/').replaceAll('~0', '~')}`))
    .join('')
    .replace(/^\./, '')

const joined = (path: string, member: string) => (path === '' ? member : `${path}.${member}`)

/** Of a member that may be null too, the fault of its other form is the one that helps. */
const isNoise = ({ keyword, params }: FastifySchemaValidationError) =>
  keyword === 'anyOf' || (keyword === 'type' && params.type === 'null')

function violationOf({ keyword, instancePath, params, message }: FastifySchemaValidationError): Violation {
  const fieldName = fieldNameOf(instancePath)
  switch (keyword) {
    case 'required':
      return { fieldName: joined(fieldName, String(params.missingProperty)), hint: 'must not be null' }
    case 'minLength':
    case 'minItems':
      return {
        fieldName,
        hint: params.limit === 1 ? 'must not be empty' : `size must be at least ${String(params.limit)}`,
      }
    case 'maxLength':
    case 'maxItems':
      return { fieldName, hint: `size must be at most ${String(params.limit)}` }
    case 'enum':
      return { fieldName, hint: `must be one of ${(params.allowedValues as unknown[]).join(', ')}` }
    default:
      return { fieldName, hint: message ?? 'is not valid' }
  }
}

/** `context` says where the fault is: body, querystring, params. A field without a path is the whole of it. */
export function violationsOf(errors: readonly FastifySchemaValidationError[], context: string): Violation[] {
  const telling = errors.filter((error) => !isNoise(error))
  return (telling.length > 0 ? telling : errors)
    .slice(0, MOST_VIOLATIONS)
    .map(violationOf)
    .map(({ fieldName, hint }) => ({ fieldName: fieldName === '' ? context : fieldName, hint }))
}

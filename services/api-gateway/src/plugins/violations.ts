// From the validator's errors to violations that name field and hint. Pure.
import { forbidsBlank, type Violation } from '@push-server/contract'
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

/** The validator is verbose: its errors also tell where they come from. */
interface Schema {
  properties?: Readonly<Record<string, { pattern?: unknown }>>
  'x-max-units'?: number
}
const schemaOf = (error: FastifySchemaValidationError) => (error as { parentSchema?: Schema }).parentSchema

function missing(error: FastifySchemaValidationError): string {
  const member = schemaOf(error)?.properties?.[String(error.params.missingProperty)]
  return forbidsBlank(member?.pattern) ? 'must not be blank' : 'must not be null'
}

function violationOf(error: FastifySchemaValidationError): Violation {
  const { keyword, instancePath, params, message } = error
  const fieldName = fieldNameOf(instancePath)
  switch (keyword) {
    case 'required':
      return { fieldName: joined(fieldName, String(params.missingProperty)), hint: missing(error) }
    case 'pattern':
      return { fieldName, hint: forbidsBlank(params.pattern) ? 'must not be blank' : (message ?? 'is not valid') }
    case 'minLength':
    case 'minItems':
      return {
        fieldName,
        hint: params.limit === 1 ? 'must not be empty' : `size must be at least ${String(params.limit)}`,
      }
    case 'maxLength':
    case 'maxItems':
      return { fieldName, hint: `size must be at most ${String(params.limit)}` }
    case 'x-max-units':
      return { fieldName, hint: `size must be at most ${schemaOf(error)?.['x-max-units'] ?? 'its limit'}` }
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
    .filter(isFirst)
}

/** One fault may break two keywords: the length of a text is counted in characters and in UTF-16 units. */
const isFirst = ({ fieldName, hint }: Violation, index: number, all: readonly Violation[]) =>
  all.findIndex((other) => other.fieldName === fieldName && other.hint === hint) === index

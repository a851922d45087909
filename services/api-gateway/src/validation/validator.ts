// The validation of every request: it stops at the first error, whatever the size of the body. Only then the list that the
// response names is collected, level by level and never longer than `MOST_VIOLATIONS`: a list of all errors of a body of 16 MB
// would be millions of objects.
import type { Violation } from '@push-server/contract'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { alternativesOf, isObject, type Schema } from './schema.ts'
import { violationsOf } from './violations.ts'

export const MOST_VIOLATIONS = 20

/** Words of the contract's schemas that the validator does not know of itself. */
const KEYWORDS = [
  'x-case',
  'x-clamp',
  'x-fallback',
  'x-words',
  'x-list',
  'x-document',
  'x-example',
  'x-response-description',
  'x-headers',
  {
    keyword: 'x-max-units',
    type: 'string' as const,
    schemaType: 'number' as const,
    validate: (most: number, text: string) => text.length <= most,
    errors: false,
  },
]

/** What is wrong with the value, at most `MOST_VIOLATIONS`; empty when it is valid. */
export type Check = (value: unknown) => readonly Violation[]

/** For tests: what validation has done so far. */
export interface ValidationCounts {
  validations: number
  errors: number
}

export interface Validator {
  /** `whole` names a value without a path: body, querystring, params, line. */
  compile(schema: Schema, whole: string): Check
  readonly counts: Readonly<ValidationCounts>
}

export function createValidator(): Validator {
  const counts: ValidationCounts = { validations: 0, errors: 0 }
  const firstError = new Ajv({ allErrors: false, addUsedSchema: false, keywords: KEYWORDS })
  // Of one level alone, so a handful at most.
  const allErrors = new Ajv({ allErrors: true, addUsedSchema: false, keywords: KEYWORDS })
  const whole = cached((schema: Schema) => firstError.compile(schema))
  const ownLevel = cached((schema: Schema) => allErrors.compile(withoutContent(schema)))

  function run(validate: ValidateFunction, value: unknown): readonly ErrorObject[] {
    counts.validations += 1
    if (validate(value)) return []
    const errors = validate.errors ?? []
    counts.errors += errors.length
    return errors
  }

  const fits = (schema: Schema, value: unknown) => run(whole(schema), value).length === 0
  const levels: Levels = { fits, errorsOf: (schema, value) => run(ownLevel(schema), value) }

  return {
    counts,
    compile(schema, name) {
      const validate = whole(schema)
      return (value) => {
        const first = run(validate, value)
        if (first.length === 0) return []
        const found = collect(levels, { root: schema, whole: name }, value)
        // A keyword that no level has of its own.
        return found.length > 0 ? found : violationsOf(first.slice(0, 1), schema, { path: [], whole: name })
      }
    },
  }
}

interface Levels {
  /** Whether the value is valid, with all that is in it. */
  fits(schema: Schema, value: unknown): boolean
  /** What is wrong with the value by itself. */
  errorsOf(schema: Schema, value: unknown): readonly ErrorObject[]
}

function collect(
  { fits, errorsOf }: Levels,
  { root, whole }: { root: Schema; whole: string },
  value: unknown,
): Violation[] {
  const found: Violation[] = []
  const path: (string | number)[] = []

  /** To be called for what does not fit. */
  function visit(schema: Schema, value: unknown): void {
    const [only, ...others] = alternativesOf(schema)
    if (only && others.length === 0) return visit(only, value)
    for (const violation of violationsOf(errorsOf(schema, value), schema, { path, whole })) add(violation)
    if (isObject(value))
      for (const [name, member] of Object.entries(schema.properties ?? {}))
        if (Object.hasOwn(value, name)) enter(member, value[name], name)
    if (Array.isArray(value) && schema.items)
      for (let index = 0; index < value.length && found.length < MOST_VIOLATIONS; index += 1)
        enter(schema.items, value[index], index)
  }

  function enter(schema: Schema, value: unknown, key: string | number): void {
    if (found.length >= MOST_VIOLATIONS || fits(schema, value)) return
    path.push(key)
    visit(schema, value)
    path.pop()
  }

  /** One error may break two keywords: the length of a text is counted in characters and in UTF-16 units. */
  function add({ fieldName, hint }: Violation): void {
    const isKnown = found.some((other) => other.fieldName === fieldName && other.hint === hint)
    if (!isKnown && found.length < MOST_VIOLATIONS) found.push({ fieldName, hint })
  }

  visit(root, value)
  return found
}

/** What a schema says of a value by itself. */
const withoutContent = ({ properties: _properties, items: _items, ...own }: Schema): Schema => own

function cached<T>(make: (schema: Schema) => T): (schema: Schema) => T {
  const made = new WeakMap<Schema, T>()
  return (schema) => {
    const known = made.get(schema)
    if (known !== undefined) return known
    const fresh = make(schema)
    made.set(schema, fresh)
    return fresh
  }
}

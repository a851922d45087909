// From the description as it is collected to one that clients can be generated from: an id for every operation, each schema
// once and by its name, an example of everything. Pure.
import { errorExamples, exampleOf, type Schema } from './examples.ts'

interface Media {
  schema?: Schema
  example?: unknown
  examples?: object
}
type Content = Record<string, Media>

interface Operation {
  operationId?: string
  parameters?: Parameter[]
  requestBody?: { content: Content }
  responses?: Record<string, { content?: Content }>
}

interface Parameter {
  description?: string
  required?: boolean
  example?: unknown
  examples?: unknown
  schema?: Schema
}

type Paths = Record<string, Record<string, Operation>>

export interface Document {
  paths?: Paths
  components?: { schemas?: Record<string, Schema> }
}

/** A new document; the methods of one route have one operation until then. */
export function finishDocument<T extends Document>(collected: T): T {
  const document = { ...collected, paths: separate(collected.paths ?? {}) }
  nameOperations(document.paths)
  const schemas: Record<string, Schema> = {}
  for (const operation of operationsOf(document)) {
    addExamples(operation)
    operation.parameters?.filter(({ required = false }) => !required).forEach(describeExample)
    for (const holder of holdersOf(operation)) if (holder.schema) holder.schema = refer(holder.schema, schemas)
  }
  return {
    ...document,
    components: { ...document.components, schemas: { ...document.components?.schemas, ...schemas } },
  }
}

const operationsOf = ({ paths = {} }: Document): Operation[] =>
  Object.values(paths).flatMap((item) => Object.values(item))

const separate = (paths: Paths): Paths =>
  mapValues(paths, (item) => mapValues(item, (operation) => structuredClone(operation)))

/** POST is what others are known by, too: the route's own id belongs to the other method. */
const byRank = ([one]: [string, unknown], [other]: [string, unknown]) =>
  Number(one === 'post') - Number(other === 'post')

function nameOperations(paths: Paths): void {
  const taken = new Set<string>()
  for (const [path, item] of Object.entries(paths))
    for (const [method, operation] of Object.entries(item).toSorted(byRank)) {
      const own = operation.operationId ?? camel(`${method} ${path}`)
      operation.operationId = taken.has(own) ? camel(`${own} by ${method}`) : own
      taken.add(operation.operationId)
    }
}

const camel = (text: string) =>
  text
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '')
    .map((word, index) => (index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1)))
    .join('')

function addExamples({ requestBody, responses = {} }: Operation): void {
  for (const media of Object.values(requestBody?.content ?? {}))
    if (media.schema) media.example = exampleOf(media.schema)
  for (const [status, { content = {} }] of Object.entries(responses))
    for (const media of Object.values(content)) {
      const errors = errorExamples(status)
      if (errors) media.examples = errors
      else if (media.schema) media.example = exampleOf(media.schema)
    }
}

/**
 * A console sends the example of a parameter with every request: an `Idempotency-Key` that is always the same, say. Of one that may be left
 * out it becomes a part of the description.
 */
function describeExample(parameter: Parameter): void {
  const { schema = {} } = parameter
  const [example] = [parameter.example, ...examplesIn(schema)].filter((each) => each !== undefined)
  delete parameter.example
  delete parameter.examples
  parameter.schema = withoutExamples(schema)
  const text = typeof example === 'string' ? example : JSON.stringify(example)
  if (example !== undefined && example !== schema.default)
    parameter.description = [parameter.description, `For example \`${text}\`.`].filter(Boolean).join(' ')
}

const examplesIn = ({ examples = [], anyOf = [] }: Schema): unknown[] => [...examples, ...anyOf.flatMap(examplesIn)]

function withoutExamples({ examples: _, ...schema }: Schema): Schema {
  return { ...schema, ...(schema.anyOf && { anyOf: schema.anyOf.map(withoutExamples) }) }
}

const holdersOf = ({ parameters = [], requestBody, responses = {} }: Operation): { schema?: Schema }[] => [
  ...parameters,
  ...Object.values(requestBody?.content ?? {}),
  ...Object.values(responses).flatMap(({ content = {} }) => Object.values(content)),
]

/** The schema with all that have a title kept once and referred to; our own keywords are nobody else's business. */
function refer(schema: Schema, schemas: Record<string, Schema>): Schema {
  const inner = (part: Schema) => refer(part, schemas)
  const whole = Object.fromEntries(Object.entries(schema).filter(([keyword]) => !keyword.startsWith('x-'))) as Schema
  if (whole.properties) whole.properties = mapValues(whole.properties, inner)
  if (whole.patternProperties) whole.patternProperties = mapValues(whole.patternProperties, inner)
  if (whole.items) whole.items = inner(whole.items)
  if (whole.anyOf) whole.anyOf = whole.anyOf.map(inner)
  const { title } = whole
  if (title === undefined) return whole
  const known = schemas[title]
  if (known && JSON.stringify(known) !== JSON.stringify(whole)) throw new Error(`Two schemas have the title ${title}`)
  schemas[title] = whole
  return { $ref: `#/components/schemas/${title}` }
}

const mapValues = <T>(members: Record<string, T>, change: (value: T) => T): Record<string, T> =>
  Object.fromEntries(Object.entries(members).map(([name, value]) => [name, change(value)]))

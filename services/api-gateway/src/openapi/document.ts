// From the description as it is collected to one that clients can be generated from: each schema and each error once and by its name, an
// example of everything, the methods of one route told apart. In the form of a version its responses are that version's. Pure.
import { ErrorResponse, type Form } from '@push-server/contract'
import { documented, refer, type ExampleValues } from './components.ts'
import { exampleOf } from './examples.ts'
import { holdersOf, operationsOf, type Operation, type Parameter, type Paths } from './operations.ts'
import { respondInVersion } from './version-responses.ts'
import { mapValues, type Schema } from './schema.ts'
import { CORRELATION_ID, headersNamed, isShared, sharedComponents, sharedResponse } from './shared-responses.ts'

export interface Document {
  info?: { description?: string }
  paths?: Paths
  components?: { schemas?: Record<string, Schema> }
}

export interface DocumentOptions {
  form: Form
  examples: ExampleValues
}

/** A new document; the methods of one route have one operation until then. */
export function finishDocument<T extends Document>(collected: T, { form, examples }: DocumentOptions): T {
  const paths = separate(collected.paths ?? {})
  const schemas: Record<string, Schema> = {}
  const keep = (schema: Schema) => refer(schema, schemas)
  for (const operation of operationsOf(paths)) {
    nameHeaders(operation)
    if (form !== 'all') respondInVersion(form, operation)
    for (const holder of holdersOf(operation)) if (holder.schema) holder.schema = documented(holder.schema, examples)
    addExamples(operation)
    operation.parameters?.forEach(describeComponent)
    operation.parameters?.filter(({ required = false }) => !required).forEach(describeExample)
    shareResponses(operation)
    for (const holder of holdersOf(operation)) if (holder.schema) holder.schema = keep(holder.schema)
  }
  nameOperations(paths)
  const shared = sharedComponents(paths, keep(documented(ErrorResponse, examples)))
  return {
    ...collected,
    info: { ...collected.info, description: descriptionOf(form) },
    paths,
    components: { ...collected.components, ...shared, schemas },
  }
}

const descriptionOf = (form: Form) =>
  form === 'all'
    ? 'One API in front of APNs, FCM and HMS.'
    : `One API in front of APNs, FCM and HMS. Responses are described in the form ${form}, as this description was read below a base or with an X-Push-Compatibility of that form. An operation that the version does not have is described in its one form.`

const separate = (paths: Paths): Paths =>
  mapValues(paths, (item) => mapValues(item, (operation) => structuredClone(operation)))

/** POST is what others are known by, too: the route's own id belongs to the other method. */
const byRank = ([one]: [string, unknown], [other]: [string, unknown]) =>
  Number(one === 'post') - Number(other === 'post')

function nameOperations(paths: Paths): void {
  const taken = new Set<string>()
  for (const [path, item] of Object.entries(paths))
    for (const [method, operation] of Object.entries(item).toSorted(byRank)) {
      const { operationId: own } = operation
      // A name that is made of the path would change with it, and with it every generated client.
      if (own === undefined) throw new Error(`${method} ${path} has no operationId`)
      operation.operationId = taken.has(own) ? `${own}By${method.charAt(0).toUpperCase()}${method.slice(1)}` : own
      taken.add(operation.operationId)
    }
}

function addExamples({ requestBody, responses = {} }: Operation): void {
  const bodies = [requestBody, responses['200']]
  for (const { content = {} } of bodies.filter((body) => body !== undefined))
    for (const media of Object.values(content)) if (media.schema) media.example ??= exampleOf(media.schema)
}

/** What a schema says to readers has moved to its parameter. One with a name stands elsewhere too, where it says it itself. */
function describeComponent(parameter: Parameter): void {
  const { schema = {}, description, example } = parameter
  if (schema.title === undefined) return
  parameter.schema = {
    ...schema,
    ...(description !== undefined && { description }),
    ...(example !== undefined && { examples: [example] }),
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
  // One with a name is a component, which others have an example in.
  if (schema.title === undefined) parameter.schema = withoutExamples(schema)
  const text = typeof example === 'string' ? example : JSON.stringify(example)
  if (example !== undefined && example !== schema.default)
    parameter.description = [parameter.description, `For example \`${text}\`.`].filter(Boolean).join(' ')
}

const examplesIn = ({ examples = [], anyOf = [] }: Schema): unknown[] => [...examples, ...anyOf.flatMap(examplesIn)]

function withoutExamples({ examples: _, ...schema }: Schema): Schema {
  return { ...schema, ...(schema.anyOf && { anyOf: schema.anyOf.map(withoutExamples) }) }
}

function nameHeaders({ responses: { '200': success } = {} }: Operation): void {
  const [media] = Object.values(success?.content ?? {})
  if (success) success.headers = headersNamed([CORRELATION_ID, ...(media?.schema?.['x-headers'] ?? [])])
}

/** Of every operation; those with a body, with a key, and those that write have more. */
const EVERYWHERE = ['400', '405', '503', '4XX', '5XX']

function shareResponses(operation: Operation): void {
  const { security = [], requestBody, responses = {} } = operation
  const declared = Object.keys(responses).filter(isShared)
  const statuses = new Set([
    ...declared,
    ...EVERYWHERE,
    ...(security.length > 0 ? ['401', '403', '429'] : []),
    ...(requestBody ? ['413', '415'] : []),
  ])
  const { '200': success = {} } = responses
  operation.responses = {
    '200': success,
    ...Object.fromEntries([...statuses].toSorted().map((status) => [status, sharedResponse(status)])),
  }
}

// Bodies of NDJSON: a value on each line, checked by a schema like any body, read as fast as they are used and never held whole.
import type { LineFault } from '@push-server/contract'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Static, TSchema } from 'typebox'
import { illFormed } from './ill-formed.ts'
import { lenient } from './leniency.ts'
import { readLines, type Line } from './ndjson-lines.ts'
import { violationsOf } from './violations.ts'

export const NDJSON_TYPES = ['application/x-ndjson', 'application/ndjson', 'application/jsonl']

/** The body of such a route, for the API's description alone: the handler reads and checks the lines. */
export const linesOf = (example: string) => ({
  content: Object.fromEntries(
    NDJSON_TYPES.map((type) => [type, { schema: { description: 'A value on each line.', examples: [example] } }]),
  ),
})

/** Some lines of the body: those that are as the schema wants them, and what is wrong with the others. */
export interface Batch<T> {
  items: { line: number; value: T }[]
  faults: LineFault[]
}

export interface NdjsonOptions<T extends TSchema> {
  /** Of one line. */
  schema: T
  /** Most bytes of the body; `BODY_LIMIT` is not asked here. */
  limit: number
  /** Lines that a batch has at least, the last one excepted. */
  batchSize: number
  /** How long the sender may be silent, in ms; by default a minute. */
  idleMs?: number
}

const IDLE_MS = 60_000

/** To be registered around the routes that take NDJSON, and only those: the handler then reads it with `readNdjson`. */
export const ndjson = fp(
  async (app: FastifyInstance) => {
    // A body of JSON would be read before the handler, which would then find nothing.
    app.removeContentTypeParser('application/json')
    // Left in the request for the handler to read.
    app.addContentTypeParser(NDJSON_TYPES, (_request, _payload, done) => done(null))
  },
  { name: 'ndjson' },
)

/** Nothing is read before it is asked for, and nothing beyond a batch is held. */
export async function* readNdjson<T extends TSchema>(
  request: FastifyRequest,
  { schema, limit, batchSize, idleMs = IDLE_MS }: NdjsonOptions<T>,
): AsyncGenerator<Batch<Static<T>>> {
  const check = createCheck<T>(request, schema)
  const { raw } = request
  // A request that broke has lost it at the end.
  const { socket } = raw
  raw.setTimeout(idleMs, () => raw.destroy(new Error('the sender fell silent')))
  let batch: Batch<Static<T>> = { items: [], faults: [] }
  try {
    // Left alone at an early end: whoever destroys it hangs up before the answer is given.
    for await (const lines of readLines(raw.iterator({ destroyOnReturn: false }), limit)) {
      for (const line of lines) check(line, batch)
      if (batch.items.length + batch.faults.length < batchSize) continue
      yield batch
      batch = { items: [], faults: [] }
    }
    yield batch
  } finally {
    socket.setTimeout(0)
    // What is still to come is let go by, so that the sender gets to read the answer.
    raw.resume()
  }
}

function createCheck<T extends TSchema>(request: FastifyRequest, schema: T) {
  const validate = request.compileValidationSchema(schema)
  return (line: Line, { items, faults }: Batch<Static<T>>): void => {
    if ('hint' in line) return void faults.push({ line: line.line, fieldName: 'line', hint: line.hint })
    const value = lenient(schema, line.value)
    const ill = illFormed(value, '')
    if (ill)
      return void faults.push({ line: line.line, ...ill, ...(ill.fieldName === 'body' && { fieldName: 'line' }) })
    if (validate(value)) return void items.push({ line: line.line, value: value as Static<T> })
    const [violation] = violationsOf(validate.errors ?? [], 'line')
    faults.push({ line: line.line, fieldName: violation?.fieldName ?? 'line', hint: violation?.hint ?? 'is not valid' })
  }
}

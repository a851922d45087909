// Bodies of NDJSON: a value on each line, checked by a schema like any body, read as fast as they are used and never held whole.
import type { LineError } from '@push-server/contract'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Static, TSchema } from 'typebox'
import { createValidator } from '../validation/validator.ts'
import { coerce } from '../validation/coercion.ts'
import { ONE_TEXT_HINT, readLines, type Line } from './lines.ts'
import { readUpload, type UploadLimits } from './upload.ts'

/** The second is what clients send who know of bytes alone. */
const DESCRIBED_TYPES = ['application/x-ndjson', 'application/octet-stream']
const NDJSON_TYPES = [...DESCRIBED_TYPES, 'application/ndjson', 'application/jsonl']

/**
 * The body of such a route, for the API's description alone: the handler reads and checks the lines. Bytes, since clients would make one
 * text in JSON of it otherwise.
 */
export const linesOf = (example: string) => ({
  content: Object.fromEntries(
    DESCRIBED_TYPES.map((type) => [
      type,
      {
        schema: {
          'x-document': { type: 'string', format: 'binary' },
          description: 'JSON on each line.',
          examples: [`${example}\n`],
        },
      },
    ]),
  ),
})

/** Some lines of the body: those that match the schema, and what is wrong with the others. */
export interface Batch<T> {
  items: { line: number; value: T }[]
  failures: LineError[]
}

export interface NdjsonOptions<T extends TSchema> extends UploadLimits {
  /** Of one line. */
  schema: T
  /** Maximum number of bytes of the body; `BODY_LIMIT` does not apply. */
  limit: number
  /** Minimum number of lines of a batch, unless they are long; the last batch may have fewer. */
  batchSize: number
  /** Maximum number of bytes of a line. */
  longestLine?: number
  /** Converts a line before it is checked. */
  prepare?: (value: unknown) => unknown
}

/** A batch ends early once its lines have as many bytes: lines of 16 KB would fill the memory otherwise. */
const BATCH_BYTES = 4 * 1024 * 1024

/** Compiles the schema of lines once, however many files there are. */
const validator = createValidator()

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

/** Reads only as far as the consumer iterates, and holds one batch at most. */
export async function* readNdjson<T extends TSchema>(
  request: FastifyRequest,
  { schema, limit, batchSize, longestLine, prepare, ...limits }: NdjsonOptions<T>,
): AsyncGenerator<Batch<Static<T>>> {
  const check = createCheck(schema, prepare)
  const { raw } = request
  // The limits of the upload stand in its place, and what follows may take long.
  raw.setTimeout(0)
  let batch: Batch<Static<T>> = { items: [], failures: [] }
  let bytes = 0
  try {
    for await (const { lines, size } of readLines(readUpload(raw, limits), limit, longestLine)) {
      for (const line of lines) check(line, batch)
      bytes += size
      if (batch.items.length + batch.failures.length < batchSize && bytes < BATCH_BYTES) continue
      yield batch
      batch = { items: [], failures: [] }
      bytes = 0
    }
    yield batch
  } finally {
    // The rest of the body is discarded, so that the client gets to read the response.
    raw.resume()
  }
}

/** What a client sends that makes JSON of the whole file, as some generated clients do. */
const holdsObjects = (value: unknown) => typeof value === 'string' && OBJECT_WITHIN.test(value)

/** The first line is an object, as far as can be said without parsing it. */
const OBJECT_WITHIN = /^\s*\{\s*"/

const ONE_TEXT = { fieldName: 'line', hint: ONE_TEXT_HINT }

function createCheck<T extends TSchema>(schema: T, prepare = (value: unknown) => value) {
  const violationsOf = validator.compile(schema, 'line')
  return (line: Line, { items, failures }: Batch<Static<T>>): void => {
    if ('violation' in line) return void failures.push({ line: line.line, ...line.violation })
    if (holdsObjects(line.value)) return void failures.push({ line: line.line, ...ONE_TEXT })
    const value = coerce(schema, prepare(line.value))
    const [violation] = violationsOf(value)
    if (violation) failures.push({ line: line.line, ...violation })
    else items.push({ line: line.line, value: value as Static<T> })
  }
}

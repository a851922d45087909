// What all imports of a gateway share: slots, the limits of an upload, and the end of both when the gateway stops.
import { ApiError, unavailable } from '@push-server/contract'
import { createImportSlots, type Context } from '@push-server/domain'
import type { FastifyRequest } from 'fastify'
import type { Static, TSchema } from 'typebox'
import { readNdjson, type Batch } from './ndjson.ts'

const RETRY_AFTER_S = 5

export interface LineFormat<T extends TSchema> {
  /** Of one line. */
  schema: T
  /** Lines that are stored with one statement. */
  batchSize: number
  /** Maximum number of bytes of a line. */
  longestLine?: number
  /** Converts a line before it is checked. */
  prepare?: (value: unknown) => unknown
}

export interface Imports {
  /**
   * Runs an import in a slot of its own, or refuses it before its body is read. `signal` is aborted when the gateway stops.
   */
  run<T extends TSchema, R>(
    request: FastifyRequest,
    format: LineFormat<T>,
    work: (upload: { batches: AsyncIterable<Batch<Static<T>>>; signal: AbortSignal }) => Promise<R>,
  ): Promise<R>
  /** Ends what is under way. */
  stop(): void
}

export function createImports({ config, metrics }: Pick<Context, 'config' | 'metrics'>): Imports {
  const slots = createImportSlots({
    concurrency: config.importConcurrency,
    concurrencyPerKey: config.importConcurrencyPerKey,
    onRefused: () => metrics.refusal('import-slots'),
  })
  const stopping = new AbortController()
  const limits = {
    limit: config.importLimit,
    idleMs: config.importIdle,
    minRate: config.importMinRate,
    timeoutMs: config.importTimeout,
    signal: stopping.signal,
    onSlow: () => metrics.refusal('import-slow'),
  }

  return {
    async run(request, format, work) {
      const freeSlot = slots.take(request.caller?.id)
      try {
        const batches = bounded(readNdjson(request, { ...format, ...limits }))
        return await work({ batches, signal: stopping.signal })
      } finally {
        freeSlot()
      }
    },
    stop: () => stopping.abort(unavailable('The gateway is stopping: send the import again', RETRY_AFTER_S)),
  }

  /** Lines are rows of the staging table, which cost more than their bytes. */
  async function* bounded<T>(batches: AsyncIterable<Batch<T>>): AsyncGenerator<Batch<T>> {
    let lines = 0
    for await (const batch of batches) {
      lines += batch.items.length + batch.failures.length
      if (lines > config.importLines) {
        metrics.refusal('import-lines')
        throw new ApiError(
          'ERROR_TOO_LARGE',
          `The file has more than ${config.importLines} lines, which IMPORT_LINES allows; nothing was kept`,
        )
      }
      yield batch
    }
  }
}

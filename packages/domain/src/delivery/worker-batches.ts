// What the chunks of a worker share: they are claimed together and recorded together, as many as are there by then.
import type { Lane } from '@push-server/contract'
import { boundedBy, fulfilled, openNaturalBatches, runDivided, type NaturalBatches } from '@push-server/runtime'
import type { ChunkRecord, Claiming, Release } from '@push-server/store'
import type { Context } from '../context.ts'

export interface WorkerBatches {
  /** By the chunk's id. */
  claims: Record<Lane, NaturalBatches<number, Claiming>>
  /** Undefined: the claim is lost. */
  records: NaturalBatches<ChunkRecord, Release | undefined>
}

/** Deliveries of one statement. */
const MOST_ROWS = 2_000

export function openWorkerBatches({ config, store }: Pick<Context, 'config' | 'store'>, owner: string): WorkerBatches {
  const { directBatchChunks } = config
  const { size, weightOf } = boundedBy(directBatchChunks, MOST_ROWS)
  const claims = (limits: { size: number; inFlight: number }) =>
    openNaturalBatches<number, Claiming>({
      ...limits,
      // Two jobs of one chunk: the second finds it claimed.
      keyOf: String,
      run: async (ids) => (await store.chunks.claim(ids, owner, config.leaseTime)).map(fulfilled),
    })
  const record = (records: readonly ChunkRecord[]) => store.chunks.record(owner, records)
  return {
    // A chunk of a campaign is large, and reading it would keep others waiting.
    claims: {
      direct: claims({ size: directBatchChunks, inFlight: 1 }),
      campaign: claims({ size: 1, inFlight: config.campaignConcurrency }),
    },
    records: openNaturalBatches<ChunkRecord, Release | undefined>({
      size,
      inFlight: 1,
      weigh: ({ deliveries }) => weightOf(deliveries.length),
      keyOf: ({ claim }) => String(claim.id),
      run: (records) => runDivided(records, record, store.batchErrors),
    }),
  }
}

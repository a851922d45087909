// What a gateway that waits for a chunk is told: which deliveries have their outcome, by their positions in the chunk.
//   12 s0,3 f1 p2    sent, failed and put off of chunk 12
//   12 p4 .          the same, and the claim has ended: what was not told is put off
//   12               something else became of the chunk; the rows say what

/** Channels of gateways that know positions. Those of the former version are told of releases alone, by the chunk's id. */
const KNOWS_POSITIONS = "LIKE 'sync\\_%'"

interface Terms {
  /** The recorded chunk: id, waiter. */
  chunk: string
  /** Its deliveries that were recorded: chunk_id, position, status. */
  delivered: string
  /** Whether the claim ends. */
  release: string
}

/** Notifies the gateway that waits, as SQL: one row for each notification. */
export const NOTIFY = ({
  chunk,
  delivered,
  release,
}: Terms) => `SELECT pg_notify(c.waiter, CASE WHEN c.waiter ${KNOWS_POSITIONS}
        THEN concat_ws(' ', c.id, 's' || news.sent, 'f' || news.failed, 'p' || news.pending, CASE WHEN ${release} THEN '.' END)
        ELSE c.id::text END)
      FROM ${chunk} c, LATERAL (
        SELECT string_agg(d.position::text, ',') FILTER (WHERE d.status = 'sent') AS sent,
          string_agg(d.position::text, ',') FILTER (WHERE d.status = 'failed') AS failed,
          string_agg(d.position::text, ',') FILTER (WHERE d.status = 'pending') AS pending
        FROM ${delivered} d WHERE d.chunk_id = c.id) AS news
      WHERE c.waiter IS NOT NULL AND (${release} OR c.waiter ${KNOWS_POSITIONS} AND num_nonnulls(news.sent, news.failed, news.pending) > 0)`

/** Of the recorded chunk: the rows say what became of it. */
export const NOTIFY_ALL = 'SELECT pg_notify(waiter, id::text) FROM recorded WHERE waiter IS NOT NULL'

/** For chunks of runs, which nobody waits for. */
export const NOTIFY_NOBODY = 'SELECT WHERE false'

export interface ChunkNews {
  chunkId: number
  /** Positions; undefined: the rows say what became of the chunk. */
  outcomes?: { sent: number[]; failed: number[]; pending: number[] }
  /** The claim has ended. */
  isReleased?: boolean
}

const STATUSES = { s: 'sent', f: 'failed', p: 'pending' } as const

export function parseChunkNews(payload: string): ChunkNews {
  const [id, ...words] = payload.split(' ')
  const chunkId = Number(id)
  if (words.length === 0) return { chunkId }
  const outcomes: ChunkNews['outcomes'] = { sent: [], failed: [], pending: [] }
  for (const word of words) {
    const status = STATUSES[word[0] as keyof typeof STATUSES]
    if (status) outcomes[status] = word.slice(1).split(',').map(Number)
  }
  return { chunkId, outcomes, isReleased: words.at(-1) === '.' }
}

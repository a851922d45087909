// What the chunk of a run is about: everything of it stands in its row.
import type { MessageBody } from '@push-server/contract'
import type { Queryable } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'
import { runObstacles, UNCHANGED } from './recipient-changes.ts'
import type { ClaimedChunk, DeliveryRow, StoredOutcomes } from './row.ts'

/** Arrays as JSON: the driver reads that natively, PostgreSQL's own form character by character. */
const CONTENT = statement({
  name: 'run-chunk-content',
  text: `SELECT (SELECT version FROM credentials k WHERE k.application_id = c.application_id AND k.platform = c.platform)
        AS "credentialsVersion",
      g.message AS body, (extract(epoch FROM least(g.valid_until, now() + interval '28 days')) * 1000)::float8 AS "validUntil",
      (extract(epoch FROM r.started_at) * 1000)::float8 AS "createdAt", r.rate,
      to_json(c.tokens) AS tokens, to_json(c.environments) AS environments, to_json(c.token_kinds) AS "tokenKinds",
      c.outcomes, to_json(c.reason_names) AS "reasonNames", c.retries, c.reasons, c.sent, c.failed, (extract(epoch FROM now()) * 1000)::float8 AS now,
      ${UNCHANGED} AS "isUnchanged"
    FROM chunks c JOIN runs r ON r.id = c.run_id JOIN campaigns g ON g.id = r.campaign_id WHERE c.id = $1`,
  notNull: {
    createdAt: 'a run has started before its chunks are made',
    now: 'the time is never null',
    tokens: 'computed from a column that is not null',
  },
}).narrow<Pick<ContentRow, 'body' | 'tokens' | 'environments' | 'tokenKinds' | 'reasonNames' | 'retries' | 'reasons'>>()

interface ContentRow {
  credentialsVersion: number | null
  body: MessageBody
  validUntil: number | null
  createdAt: number
  rate: number | null
  tokens: string[]
  environments: DeliveryRow['environment'][] | null
  tokenKinds: DeliveryRow['tokenKind'][] | null
  outcomes: Buffer | null
  reasonNames: string[] | null
  retries: StoredOutcomes['retries'] | null
  reasons: Record<string, number>
  sent: number
  failed: number
  now: number
  /** No recipient has changed since the fan-out; null or false: they are to be compared one by one. */
  isUnchanged: boolean | null
}

/** The one message of the chunk, as its deliveries name it. */
const MESSAGE_ID = 'campaign'
/** Queue and database have clocks of their own. */
const TOLERANCE_MS = 1000

/** As direct messages are stored: when it loses its meaning stands beside it. */
function bodyOf(row: ContentRow): MessageBody {
  const body = { ...row.body }
  delete body.validUntil
  return body
}

/** What is due of the row, one delivery for each position that has no outcome yet. */
function contentOf(row: ContentRow): Omit<ClaimedChunk, keyof ChunkHead | 'readAt'> {
  const { tokens, outcomes, now } = row
  const retries = row.retries ?? {}
  const deliveries: DeliveryRow[] = []
  let laterDueAt: number | null = null
  for (const [position, token] of tokens.entries()) {
    if (outcomes && outcomes[position] !== 0) continue
    const [attempts, next] = retries[position] ?? [0, null]
    if (next !== null && next > now + TOLERANCE_MS) laterDueAt = Math.min(laterDueAt ?? next, next)
    else
      deliveries.push({
        id: position,
        position,
        messageId: MESSAGE_ID,
        token,
        environment: row.environments?.[position] ?? null,
        tokenKind: row.tokenKinds?.[position] ?? null,
        attempts,
        obstacle: null,
      })
  }
  return {
    credentialsVersion: row.credentialsVersion,
    messages: [
      {
        id: MESSAGE_ID,
        correlationId: null,
        traceContext: null,
        body: bodyOf(row),
        silent: false,
        priority: 'HIGH',
        validUntil: row.validUntil,
        createdAt: row.createdAt,
      },
    ],
    deliveries,
    laterDueAt,
    rate: row.rate,
    outcomes: {
      bytes: outcomes ?? Buffer.alloc(tokens.length),
      reasonNames: row.reasonNames ?? [],
      retries,
      reasons: row.reasons,
      sent: row.sent,
      failed: row.failed,
    },
  }
}

/** What a claim returns, before the content is read. */
export type ChunkHead = Pick<
  ClaimedChunk,
  | 'id'
  | 'epoch'
  | 'applicationId'
  | 'platform'
  | 'lane'
  | 'runId'
  | 'isAwaited'
  | 'probe'
  | 'try'
  | 'seed'
  | 'expiresAt'
  | 'claimedAt'
>

/** Undefined when the run is gone. */
export async function readRunContent(database: Queryable, chunk: ChunkHead) {
  const [row] = await database.query(CONTENT, [chunk.id])
  if (!row) return undefined
  const content = contentOf(row)
  if (!row.isUnchanged) await addObstacles(database, chunk.id, content.deliveries)
  return content
}

async function addObstacles(database: Queryable, chunkId: number, deliveries: DeliveryRow[]): Promise<void> {
  const positions = deliveries.map(({ position }) => position)
  const obstacles = await runObstacles(database, chunkId, positions)
  for (const delivery of deliveries) delivery.obstacle = obstacles.get(delivery.position) ?? null
}

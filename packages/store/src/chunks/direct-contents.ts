// What claimed chunks of direct messages are about: their messages, and whom each delivery has become.
import type { MessageBody, TokenKind } from '@push-server/contract'
import type { ClaimedChunk, DeliveryRow, MessageRow, Obstacle } from './row.ts'
import type { Database } from '../connection/database.ts'
import { directRecipients, takeNewTokens, type DirectRecipient } from './recipient-changes.ts'
import { statement, type RowOf } from '../connection/statement.ts'

export type DirectContent = Pick<ClaimedChunk, 'credentialsVersion' | 'messages' | 'deliveries' | 'laterDueAt'>

const COLUMNS = `d.id, d.chunk_id, d.position, d.token, d.attempts, d.next_attempt_at, m.id AS message_id, m.body, m.silent,
      m.priority, m.valid_until, m.created_at, m.correlation_id, m.trace_context`

const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`

/** A row for each pending delivery, and one for each chunk without. A message comes once for each of its deliveries. */
const CONTENTS = statement({
  name: 'chunk-contents',
  text: `SELECT w.id AS "chunkId", k.version AS "credentialsVersion", r.id, r.position, r.token, r.attempts,
      r.device_environment AS environment, r.device_token_kind AS "tokenKind", r.obstacle, r.new_token AS "newToken",
      r.next_attempt_at IS NULL OR r.next_attempt_at <= now() + interval '1 s' AS "isDue", ${ms('r.next_attempt_at')} AS "nextAttemptAt",
      r.message_id AS "messageId", r.correlation_id AS "correlationId", r.trace_context AS "traceContext", r.body, r.silent, r.priority, ${ms('r.valid_until')} AS "validUntil",
      ${ms('r.created_at')} AS "createdAt"
    FROM unnest((SELECT $1::bigint[])::bigint[], (SELECT $2::int[])::int[], (SELECT $3::text[])::text[]) AS w(id, application_id, platform)
    LEFT JOIN credentials k ON k.application_id = w.application_id AND k.platform = w.platform
    LEFT JOIN LATERAL (${directRecipients('w.id', 'w.application_id', COLUMNS)} ORDER BY d.position OFFSET 0) AS r ON true`,
  notNull: { chunkId: 'the arrays are without nulls' },
}).narrow<{
  body: MessageBody | null
  priority: MessageRow['priority'] | null
  environment: DeliveryRow['environment']
  tokenKind: TokenKind | null
  obstacle: Obstacle | null
}>()

type Row = RowOf<typeof CONTENTS>
/** The columns of a delivery and its message are null together, but for some. */
type PendingRow = Row & {
  [K in 'id' | 'position' | 'token' | 'attempts' | 'messageId' | 'silent' | 'priority' | 'createdAt']: NonNullable<
    Row[K]
  >
}
const isPending = (row: Row): row is PendingRow => row.id !== null

/** By the chunks' ids. */
export async function readDirectContents(
  database: Database,
  chunks: readonly Pick<ClaimedChunk, 'id' | 'applicationId' | 'platform'>[],
): Promise<Map<number, DirectContent>> {
  const column = <K extends keyof (typeof chunks)[number]>(key: K) => chunks.map((chunk) => chunk[key])
  const rows = await database.query(CONTENTS, [column('id'), column('applicationId'), column('platform')])
  const deliveries = await takeNewTokens(
    database,
    rows
      .filter(isPending)
      .filter(({ isDue }) => isDue)
      .map(recipientOf),
  )
  const byChunk = Map.groupBy(deliveries, ({ chunkId }) => chunkId)
  return new Map(
    [...Map.groupBy(rows, ({ chunkId }) => chunkId)].map(([chunkId, own]) => [
      chunkId,
      {
        credentialsVersion: own[0]?.credentialsVersion ?? null,
        messages: messagesOf(own.filter(isPending)),
        deliveries: byChunk.get(chunkId) ?? [],
        laterDueAt: laterDueAt(own),
      },
    ]),
  )
}

const recipientOf = (row: PendingRow): DirectRecipient & { chunkId: number } => ({
  chunkId: row.chunkId,
  id: row.id,
  position: row.position,
  messageId: row.messageId,
  token: row.token,
  environment: row.environment,
  tokenKind: row.tokenKind,
  attempts: row.attempts,
  obstacle: row.obstacle,
  newToken: row.newToken,
})

function messagesOf(rows: readonly PendingRow[]): MessageRow[] {
  const messages = new Map<string, MessageRow>()
  for (const { messageId: id, correlationId, traceContext, body, silent, priority, validUntil, createdAt } of rows)
    messages.set(id, { id, correlationId, traceContext, body: body ?? {}, silent, priority, validUntil, createdAt })
  return [...messages.values()]
}

function laterDueAt(rows: readonly Row[]): number | null {
  const times = rows.flatMap(({ isDue, nextAttemptAt }) =>
    isDue === false && nextAttemptAt !== null ? nextAttemptAt : [],
  )
  return times.length > 0 ? Math.min(...times) : null
}

// Messages: who gets one and, with the two files beside, what is stored of it and what became of it.
import { IS_OPEN } from '../chunks/open-chunks.ts'
import type { Platform, TokenKind } from '@push-server/contract'
import { PAUSED } from '../chunks/claims.ts'
import type { Database } from '../connection/database.ts'
import { IS_OUTDATED, RESPELLING } from '../devices/respelling.ts'
import type { StatusCount } from './status.ts'
import type { Recipient } from './batch.ts'
import { columnOf } from './batch-columns.ts'
import { statement } from '../connection/statement.ts'

export interface Audience {
  applicationId: number
  /** Platforms that have credentials. */
  configured: Platform[]
  /** Whether its messages may have raw blocks. */
  rawBlocks: boolean
  /** Versions of Huawei's API that it has credentials for, where these say so. */
  huaweiApis?: string | null
  /** Of each user the latest registration first. */
  recipients: Recipient[]
}

/** Whom a request is about. */
export interface AudienceQuery {
  appId: string
  userIds: readonly string[]
}

/**
 * One row for each recipient, and one without a device for each user who has none. Applications are read once, not for each row.
 * `OFFSET 0` keeps the planner to looking users up one by one, by the index.
 */
const AUDIENCES = statement({
  name: 'message-audiences',
  text: `WITH app AS MATERIALIZED (
      SELECT a.id, a.app_id, a.raw_blocks, ARRAY(SELECT platform FROM credentials k WHERE k.application_id = a.id) AS configured,
        (SELECT k.settings ->> 'apis' FROM credentials k WHERE k.application_id = a.id AND k.platform = 'huawei') AS huawei_apis
      FROM applications a WHERE a.app_id = ANY((SELECT $1::text[])::text[]))
    SELECT app.app_id AS "appId", app.id AS "applicationId", app.raw_blocks AS "rawBlocks", app.configured, app.huawei_apis AS "huaweiApis",
      d.id AS "deviceId", d.user_id AS "userId", d.activation_id AS "activationId", d.platform, d.environment, d.token,
      d.token_kind AS "tokenKind", d.active,
      ${RESPELLING} AS respelling
    FROM app JOIN unnest((SELECT $2::text[]), (SELECT $3::text[])) AS w(app_id, user_id) ON w.app_id = app.app_id
    LEFT JOIN LATERAL (SELECT * FROM devices d WHERE d.application_id = app.id AND d.user_id = w.user_id AND d.dropped_at IS NULL
      OFFSET 0) AS d ON true
    ORDER BY d.registered_at DESC, d.id DESC`,
  notNull: {
    appId: 'the condition compares it',
    applicationId: 'the outer join is that of devices',
    configured: 'ARRAY of a query is never null',
    rawBlocks: 'the outer join is that of devices',
    respelling: 'EXISTS is never null',
  },
}).narrow<{ configured: Platform[]; platform: Platform | null; tokenKind: TokenKind | null }>()

/** Which of the devices are another phone's by now: read until the respelling is over. */
const OUTDATED = statement({
  name: 'message-outdated',
  text: `SELECT d.id FROM devices d WHERE d.id = ANY($1) AND ${IS_OUTDATED}`,
})

const TALLIES = statement({
  name: 'message-tallies',
  text: `SELECT message_id AS "messageId", platform, status, count(*)::int AS count FROM deliveries
    WHERE message_id = ANY((SELECT $1::uuid[])::uuid[]) AND status <> 'skipped' GROUP BY message_id, platform, status`,
  notNull: { count: 'count is never null' },
}).narrow<{ platform: Platform }>()

export interface MessageCount extends StatusCount {
  messageId: string
}

/** A chunk that no worker has released yet, though one could claim it: it is neither paused nor to be sent later. */
export interface AwaitedChunk {
  id: number
  applicationId: number
  platform: Platform
  /** Number of its deliveries that are pending. */
  size: number
}

const AWAITED = statement({
  name: 'message-awaited',
  text: `SELECT c.id, c.application_id AS "applicationId", c.platform, c.total - c.sent - c.failed AS size FROM chunks c
    WHERE c.id IN (SELECT d.chunk_id FROM deliveries d WHERE d.message_id = ANY($1) AND d.status = 'pending')
      AND ${IS_OPEN} AND c.try = 0 AND c.due_at <= now() + interval '1 s' AND NOT ${PAUSED}`,
  notNull: { size: 'computed from columns that are not null' },
}).narrow<{ platform: Platform }>()

/** The columns of a device are null together, but for its environment and the kind of its token. */
const isRecipient = <R extends { [K in keyof Recipient]: Recipient[K] | null }>(row: R): row is R & Recipient =>
  row.deviceId !== null

export const openMessages = (database: Database) => {
  async function withoutOutdated<R extends Recipient>(recipients: R[]): Promise<R[]> {
    const onIos = recipients.filter(({ platform }) => platform === 'ios').map(({ deviceId }) => deviceId)
    if (onIos.length === 0) return recipients
    const outdated = new Set((await database.query(OUTDATED, [onIos])).map(({ id }) => id))
    return recipients.filter(({ deviceId }) => !outdated.has(deviceId))
  }

  /** The application of each query and every device of its users; undefined when there is no such application. */
  async function audiences(queries: readonly AudienceQuery[]): Promise<(Audience | undefined)[]> {
    const users = Map.groupBy(queries, ({ appId }) => appId)
    const pairs = [...users].flatMap(([appId, some]) =>
      [...new Set(some.flatMap(({ userIds }) => userIds))].map((userId) => ({ appId, userId })),
    )
    const rows = await database.query(AUDIENCES, [
      [...users.keys()],
      columnOf(pairs, 'appId'),
      columnOf(pairs, 'userId'),
    ])
    const recipients = rows.filter(isRecipient)
    const kept = rows[0]?.respelling ? await withoutOutdated(recipients) : recipients
    const byUser = Map.groupBy(kept, ({ appId, userId }) => `${appId}/${userId}`)
    const applications = new Map(rows.map((row) => [row.appId, row]))
    return queries.map(({ appId, userIds }) => {
      const application = applications.get(appId)
      if (!application) return undefined
      const { applicationId, configured, rawBlocks, huaweiApis } = application
      const own = [...new Set(userIds)].flatMap((userId) => byUser.get(`${appId}/${userId}`) ?? [])
      return { applicationId, configured, rawBlocks, huaweiApis, recipients: own }
    })
  }

  return {
    audiences,

    /** How many deliveries of each message have which status, skipped ones left out. */
    tallies: (messageIds: readonly string[]): Promise<MessageCount[]> => database.query(TALLIES, [messageIds]),

    /** The chunks of the messages that are still to be released for the first time. */
    awaited: (messageIds: readonly string[]): Promise<AwaitedChunk[]> => database.query(AWAITED, [messageIds]),
  }
}
export type Messages = ReturnType<typeof openMessages>

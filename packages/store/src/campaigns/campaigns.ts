// Campaigns and their users: who is to get one message. What is deleted is gone for clients at once, its rows go later.
import type { CampaignState, MessageBody, Platform } from '@push-server/contract'
import type { Database, Queryable } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'
import { RUN_STATE } from './audiences.ts'

export interface CampaignRow {
  id: number
  appId: string
  message: MessageBody
  /** Null = all. */
  platforms: Platform[] | null
  /** Whether a run of it was completed. */
  sent: boolean
}

export interface RunTally {
  platform: Platform
  total: number
  sent: number
  failed: number
}

/** A point in the past that the rate of a run is taken from. */
export interface RateBase {
  seconds: number
  /** What was sent or failed by then. */
  done: number
}

export interface CampaignDetailRow extends CampaignRow {
  createdAt: Date
  /** Of the latest run; null when there is none. */
  runId: number | null
  state: CampaignState
  paused: boolean
  scheduledAt: Date | null
  completedAt: Date | null
  /** When the latest run that was completed was. */
  sentAt: Date | null
  /** Of each platform that the latest run goes to, as far as it is fanned out. */
  tallies: RunTally[]
  /** Five to ten seconds ago, or the start of the latest run; null when it has not started. */
  rateBase: RateBase | null
}

export interface NewCampaign {
  applicationId: number
  message: MessageBody
  /** Null or left out = all. */
  platforms?: readonly Platform[] | null | undefined
  /** Milliseconds since the epoch. */
  validUntil: number | null
}

/** Which campaigns are listed: all of them, by whether they were sent, those of some applications. */
export interface CampaignFilter {
  sent: boolean | undefined
  /** Undefined = of any application. */
  appIds: readonly string[] | undefined
  offset: number
  limit: number | null
}

export interface UserPage {
  sort: 'asc' | 'desc'
  /** Users whose id comes after this one, in the order of `sort`. */
  after: string | null
  offset: number
  limit: number
}

const SENT = `EXISTS (SELECT FROM runs r WHERE r.campaign_id = c.id AND r.state = 'sent')`
const COLUMNS = `c.id, a.app_id AS "appId", c.message, c.platforms, ${SENT} AS sent`
/** A campaign goes with its application, which has no name any more once it is removed. */
export const LIVING = `campaigns c
    JOIN applications a ON a.id = c.application_id AND a.app_id IS NOT NULL AND c.deleted_at IS NULL`

const CREATE = statement({
  name: 'campaign-create',
  text: 'INSERT INTO campaigns (application_id, message, valid_until, platforms) VALUES ($1, $2, $3, $4) RETURNING id',
  nullable: [3, 4],
})

/** Chunks are a thousandth of the audience, and their outcomes are not read. */
const TALLIES = `SELECT coalesce(json_agg(t), '[]') AS tallies FROM (
        SELECT platform, sum(total) AS total, sum(sent) AS sent, sum(failed) AS failed
        FROM chunks WHERE run_id = r.id GROUP BY platform) t`

/** One query, as clients that show progress ask every second. */
const DETAIL = statement({
  name: 'campaign-detail',
  text: `SELECT ${COLUMNS}, c.created_at AS "createdAt", r.id AS "runId", coalesce(${RUN_STATE}, 'created') AS state,
      r.paused_at IS NOT NULL AND r.settled_at IS NULL AS paused, r.scheduled_at AS "scheduledAt",
      r.settled_at AS "completedAt",
      (SELECT max(s.settled_at) FROM runs s WHERE s.campaign_id = c.id AND s.state = 'sent') AS "sentAt", t.tallies,
      CASE WHEN r.started_at IS NOT NULL THEN json_build_object('done', coalesce(r.previous_done, 0),
        'seconds', extract(epoch FROM now() - coalesce(r.previous_at, r.started_at))) END AS "rateBase"
    FROM ${LIVING} LEFT JOIN LATERAL (
      SELECT * FROM runs WHERE campaign_id = c.id ORDER BY id DESC LIMIT 1) r ON true, LATERAL (${TALLIES}) t
    WHERE c.id = $1`,
  notNull: {
    appId: 'LIVING keeps those without a name out',
    sent: 'EXISTS is never null',
    state: 'coalesced with a constant',
    paused: 'IS NULL is never null',
    tallies: 'coalesced with a constant',
  },
}).narrow<Pick<CampaignDetailRow, 'message' | 'platforms' | 'state' | 'tallies' | 'rateBase'>>()

const LIST = statement({
  name: 'campaign-list',
  text: `SELECT ${COLUMNS} FROM ${LIVING}
    WHERE ($1::bool IS NULL OR ${SENT} = $1) AND ($2::text[] IS NULL OR a.app_id = ANY($2)) ORDER BY c.id OFFSET $3 LIMIT $4`,
  notNull: { appId: 'LIVING keeps those without a name out', sent: 'EXISTS is never null' },
  nullable: [1, 2, 4],
}).narrow<{ message: MessageBody; platforms: Platform[] | null }>()

const LOCK = statement({
  name: 'campaign-lock',
  text: `SELECT c.id FROM ${LIVING} WHERE c.id = $1 FOR UPDATE OF c`,
})

/** After the lock, so that it sees a run that was being started. */
const DELETE = statement({
  name: 'campaign-delete',
  text: `UPDATE campaigns SET deleted_at = now() WHERE id = $1 AND NOT EXISTS (
      SELECT FROM runs WHERE campaign_id = $1 AND state IN ('scheduled', 'fanning-out', 'sending')) RETURNING id`,
})

/** A share lock: a campaign that is being deleted takes no more users. */
const HOLD = statement({
  name: 'campaign-hold',
  text: `SELECT c.id FROM ${LIVING} WHERE c.id = $1 FOR SHARE OF c`,
})

/** In one order: two calls with the same users would otherwise wait for each other for ever. */
const ADD_USERS = statement({
  name: 'campaign-user-add',
  text: `INSERT INTO campaign_users (campaign_id, user_id)
    SELECT $1, u FROM (SELECT DISTINCT u FROM unnest($2::text[]) AS u ORDER BY u) AS given ON CONFLICT DO NOTHING`,
})

const REMOVE_USERS = statement({
  name: 'campaign-user-remove',
  text: `DELETE FROM campaign_users WHERE campaign_id = $1 AND user_id IN (
      SELECT user_id FROM campaign_users WHERE campaign_id = $1 AND user_id = ANY($2::text[]) ORDER BY user_id FOR UPDATE)`,
})

const listUsers = (sort: 'asc' | 'desc') =>
  statement({
    name: 'campaign-user-list',
    variant: sort,
    text: `SELECT user_id AS "userId" FROM campaign_users
    WHERE campaign_id = $1 AND EXISTS (SELECT FROM ${LIVING} WHERE c.id = $1)
      AND ($2::text IS NULL OR user_id ${sort === 'asc' ? '>' : '<'} $2) ORDER BY user_id ${sort} OFFSET $3 LIMIT $4`,
    nullable: [2],
  })
const LIST_USERS = { asc: listUsers('asc'), desc: listUsers('desc') }

/** So that no single statement comes near the time limit of queries. */
const USERS_PER_STATEMENT = 20_000

function* slices<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size)
}

async function addUsers(connection: Queryable, id: number, userIds: readonly string[]): Promise<void> {
  for (const some of slices(userIds, USERS_PER_STATEMENT)) await connection.query(ADD_USERS, [id, some])
}

export const openCampaigns = (database: Database) => ({
  async create({ applicationId, message, platforms, validUntil }: NewCampaign): Promise<number> {
    const until = validUntil === null ? null : new Date(validUntil)
    const [row] = await database.query(CREATE, [applicationId, JSON.stringify(message), until, platforms ?? null])
    if (!row) throw new Error('A campaign was stored without an id')
    return row.id
  },

  async find(id: number): Promise<CampaignRow | undefined> {
    const row = await database.prisma.campaign.findFirst({
      where: { id, deletedAt: null, application: { appId: { not: null } } },
      select: {
        message: true,
        platforms: true,
        application: { select: { appId: true } },
        runs: { where: { state: 'sent' }, select: { id: true }, take: 1 },
      },
    })
    const appId = row?.application.appId
    if (!row || typeof appId !== 'string') return undefined
    // Prisma Client reads null as a list of none.
    const platforms = row.platforms.length > 0 ? (row.platforms as Platform[]) : null
    return { id, appId, message: row.message as MessageBody, platforms, sent: row.runs.length > 0 }
  },

  /** With its latest run: the state, and how far it is. */
  async describe(id: number): Promise<CampaignDetailRow | undefined> {
    const [row] = await database.query(DETAIL, [id])
    return row
  },

  /** In the order they were made. */
  list: ({ sent, appIds, offset, limit }: CampaignFilter): Promise<CampaignRow[]> =>
    database.query(LIST, [sent ?? null, appIds ?? null, offset, limit]),

  /** Refuses while a run of it is active. */
  delete: (id: number): Promise<'deleted' | 'unknown' | 'active'> =>
    database.transaction(async (connection) => {
      const [campaign] = await connection.query(LOCK, [id])
      if (!campaign) return 'unknown'
      return (await connection.query(DELETE, [id])).length > 0 ? 'deleted' : 'active'
    }),

  /** All of them or none; who is in it already stays. False when there is no such campaign. */
  addUsers: (id: number, userIds: readonly string[]): Promise<boolean> =>
    database.transaction(async (connection) => {
      const [campaign] = await connection.query(HOLD, [id])
      if (!campaign) return false
      await addUsers(connection, id, userIds)
      return true
    }),

  /** Users that are not in it are no error. */
  removeUsers: (id: number, userIds: readonly string[]): Promise<void> =>
    database.transaction(async (connection) => {
      for (const some of slices(userIds, USERS_PER_STATEMENT)) await connection.query(REMOVE_USERS, [id, some])
    }),

  /** By user id. Empty for a campaign that there is not, or no longer. */
  async listUsers(id: number, { sort, after, offset, limit }: UserPage): Promise<string[]> {
    const rows = await database.query(LIST_USERS[sort], [id, after, offset, limit])
    return rows.map((row) => row.userId)
  },
})
export type Campaigns = ReturnType<typeof openCampaigns>

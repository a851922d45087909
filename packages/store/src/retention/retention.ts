// Removes what is past its age, a bounded number of rows with each statement. Any number of processes may run them at once:
// rows that another process has locked are left to it.
import type { Database, Given } from '../connection/database.ts'
import { EVENT_SOURCE, LOG_EVENTS } from '../devices/events.ts'
import { statement, type Statement, type Values } from '../connection/statement.ts'

/**
 * Direct chunks go with the contents of their messages: a settled chunk holds nothing that its deliveries do not. A message in
 * several chunks keeps its content until the last of them has reached the age. Messages are locked in one order, or two
 * processes with chunks of the same batch would deadlock. Chunks of campaigns belong to their run.
 */
const CHUNKS = statement({
  name: 'retain-chunks',
  text: `WITH old AS (
      SELECT id FROM chunks WHERE settled_at < now() - $1 * interval '1 ms' AND lane = 'direct'
      ORDER BY settled_at LIMIT $2 FOR UPDATE SKIP LOCKED),
    settled AS (
      SELECT m.id FROM messages m
      WHERE m.id IN (SELECT d.message_id FROM deliveries d JOIN old ON old.id = d.chunk_id) AND m.body IS NOT NULL
        AND NOT EXISTS (SELECT FROM deliveries d JOIN chunks c ON c.id = d.chunk_id WHERE d.message_id = m.id
          AND (c.settled_at IS NULL OR c.settled_at >= now() - $1 * interval '1 ms'))
      ORDER BY m.id FOR UPDATE OF m),
    emptied AS (UPDATE messages m SET body = NULL FROM settled WHERE m.id = settled.id)
    DELETE FROM chunks USING old WHERE chunks.id = old.id RETURNING chunks.id`,
})

/** A message without content has nothing open; its deliveries go with it. */
const MESSAGES = statement({
  name: 'retain-messages',
  text: `WITH old AS (
      SELECT id FROM messages WHERE body IS NULL AND keyed = $3 AND created_at < now() - $1 * interval '1 ms'
      ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)
    DELETE FROM messages USING old WHERE messages.id = old.id RETURNING messages.id`,
})

/** Links between messages of which neither is kept any more. */
const RESENDS = statement({
  name: 'retain-resends',
  text: `DELETE FROM message_resends WHERE message_id = ANY(ARRAY(
      SELECT r.message_id FROM message_resends r WHERE r.created_at < now() - $1 * interval '1 ms'
        AND NOT EXISTS (SELECT FROM messages m WHERE m.id IN (r.message_id, r.origin_id))
      LIMIT $2 FOR UPDATE OF r SKIP LOCKED)) RETURNING message_id`,
})

/** The lock reads the row again: a device that was just registered anew stays. */
const DEVICES = statement({
  name: 'retain-devices',
  text: `WITH old AS (
      SELECT id FROM devices WHERE dropped_at < now() - $1 * interval '1 ms'
      ORDER BY dropped_at LIMIT $2 FOR UPDATE SKIP LOCKED),
    gone AS (DELETE FROM devices d USING old WHERE d.id = old.id RETURNING ${EVENT_SOURCE('d')}),
    logged AS (${LOG_EVENTS('removed', 'gone', "'DroppedDeviceAge'")})
    SELECT id FROM gone`,
})

/** Ids are given in the order of time, nearly: the oldest are found without an index of their own. */
const DEVICE_EVENTS = statement({
  name: 'retain-device-events',
  text: `WITH first AS MATERIALIZED (SELECT id, created_at FROM device_events ORDER BY id LIMIT $2),
    old AS (
      SELECT e.id FROM device_events e JOIN first ON first.id = e.id
      WHERE first.created_at < now() - $1 * interval '1 ms' FOR UPDATE OF e SKIP LOCKED)
    DELETE FROM device_events e USING old WHERE e.id = old.id RETURNING e.id`,
})

/** What they show goes with them. */
const INBOX_EXPIRED = statement({
  name: 'retain-inbox-expired',
  text: `WITH old AS (
      SELECT id FROM inbox_messages WHERE valid_until <= now() ORDER BY valid_until LIMIT $1 FOR UPDATE SKIP LOCKED)
    DELETE FROM inbox_messages m USING old WHERE m.id = old.id RETURNING m.id`,
})
const INBOX_OLD = statement({
  name: 'retain-inbox-old',
  text: `WITH old AS (
      SELECT id FROM inbox_messages WHERE created_at <= now() - $1 * interval '1 ms'
      ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)
    DELETE FROM inbox_messages m USING old WHERE m.id = old.id RETURNING m.id`,
})

const KEYS = statement({
  name: 'retain-keys',
  text: `WITH old AS (
      SELECT application_id, key FROM idempotency_keys WHERE expires_at < now()
      ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)
    DELETE FROM idempotency_keys k USING old WHERE k.application_id = old.application_id AND k.key = old.key RETURNING k.key`,
})

/** Of campaigns that were deleted: first their users, then what their runs sent, then themselves. */
const CAMPAIGN_USERS = statement({
  name: 'retain-campaign-users',
  text: `DELETE FROM campaign_users WHERE ctid = ANY(ARRAY(
      SELECT u.ctid FROM campaigns c JOIN campaign_users u ON u.campaign_id = c.id
      WHERE c.deleted_at IS NOT NULL LIMIT $1 FOR UPDATE OF u SKIP LOCKED)) RETURNING 1`,
})

/** A chunk that a worker has claimed is settled first. */
const CAMPAIGN_CHUNKS = statement({
  name: 'retain-campaign-chunks',
  text: `WITH old AS (
      SELECT k.id FROM campaigns c JOIN runs r ON r.campaign_id = c.id JOIN chunks k ON k.run_id = r.id
      WHERE c.deleted_at IS NOT NULL AND k.settled_at IS NOT NULL LIMIT $1 FOR UPDATE OF k SKIP LOCKED)
    DELETE FROM chunks USING old WHERE chunks.id = old.id RETURNING chunks.id`,
})

/** The row of one that an import has brought keeps it from coming back with the next import. */
const CAMPAIGNS = statement({
  name: 'retain-campaigns',
  text: `WITH old AS (
      SELECT c.id FROM campaigns c WHERE c.deleted_at IS NOT NULL AND NOT c.imported
        AND NOT EXISTS (SELECT FROM campaign_users u WHERE u.campaign_id = c.id)
        AND NOT EXISTS (SELECT FROM runs r JOIN chunks k ON k.run_id = r.id WHERE r.campaign_id = c.id)
      LIMIT $1 FOR UPDATE OF c SKIP LOCKED)
    DELETE FROM campaigns USING old WHERE campaigns.id = old.id RETURNING campaigns.id`,
})

/** There are as many as credentials in use, so they need no index. */
const TOKENS = statement({
  name: 'retain-tokens',
  text: `WITH old AS (SELECT key FROM provider_tokens WHERE expires_at < now() LIMIT $1 FOR UPDATE SKIP LOCKED)
    DELETE FROM provider_tokens t USING old WHERE t.key = old.key RETURNING t.key`,
})

/** Each removes up to `limit` of the oldest and resolves with how many it removed; ages are in milliseconds. */
export const openRetention = (database: Database) => {
  const remove = async <V extends Values>(statement: Statement<V, object>, ...given: Given<V>) =>
    (await database.query(statement, ...given)).length
  return {
    /** Direct chunks settled for `age`, and the contents of messages that have no other chunk. */
    removeChunks: (age: number, limit: number) => remove(CHUNKS, [age, limit]),

    /** Messages accepted `age` ago whose content is gone, those sent under an idempotency key or those without one. */
    removeMessages: (age: number, limit: number, { keyed }: { keyed: boolean }) =>
      remove(MESSAGES, [age, limit, keyed]),

    /** Links between messages that send each other again, made `age` ago. */
    removeResends: (age: number, limit: number) => remove(RESENDS, [age, limit]),

    /** Devices dropped `age` ago. */
    removeDevices: (age: number, limit: number) => remove(DEVICES, [age, limit]),

    /** What became of devices, `age` ago. */
    removeDeviceEvents: (age: number, limit: number) => remove(DEVICE_EVENTS, [age, limit]),

    /** Inbox messages that have expired, and those that were created `age` ago. */
    removeExpiredInbox: (limit: number) => remove(INBOX_EXPIRED, [limit]),
    removeOldInbox: (age: number, limit: number) => remove(INBOX_OLD, [age, limit]),

    /** Of deleted campaigns, whatever their age. */
    removeCampaignUsers: (limit: number) => remove(CAMPAIGN_USERS, [limit]),
    removeCampaignChunks: (limit: number) => remove(CAMPAIGN_CHUNKS, [limit]),
    /** Those of which nothing else is left. */
    removeCampaigns: (limit: number) => remove(CAMPAIGNS, [limit]),

    removeKeys: (limit: number) => remove(KEYS, [limit]),
    removeTokens: (limit: number) => remove(TOKENS, [limit]),
  }
}
export type Retention = ReturnType<typeof openRetention>

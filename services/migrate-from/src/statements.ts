// What is read of the tables of each version, in PostgreSQL. The members of a row are those of an import's line. Pure.
import type { Kind } from './kinds.ts'
import type { SourceVersion } from './source.ts'

/**
 * Since 1.10 the credentials stand in new columns, and the old ones keep the values of the day of the upgrade: removed or rotated keys
 * are there still, so that the old columns are never read.
 */
const COLUMNS = {
  '1.7': { apns: 'ios', fcm: 'android', type: '"type"', read: '"read"', environment: 'NULL::text' },
  '1.9': { apns: 'ios', fcm: 'android', type: 'message_type', read: 'is_read', environment: 'NULL::text' },
  '1.10': { apns: 'apns', fcm: 'fcm', type: 'message_type', read: 'is_read', environment: 'd.environment' },
} as const satisfies Record<SourceVersion, object>

const environment = (column: string) =>
  `CASE WHEN lower(${column}) IN ('development', 'production') THEN lower(${column}) END`

/** `zone` was checked: it holds no quote. */
export function statementsOf(version: SourceVersion, zone: string): Readonly<Record<Kind['name'], string>> {
  const { apns, fcm, type, read, environment: ofDevice } = COLUMNS[version]
  const time = (column: string) =>
    `to_char(${column} AT TIME ZONE '${zone}' AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"+00:00"')`
  const base64 = (column: string) => `replace(encode(${column}, 'base64'), E'\\n', '')`
  return {
    applications: `SELECT app_id AS "appId", ${apns}_bundle AS "apnsBundle", ${apns}_key_id AS "apnsKeyId",
        ${apns}_team_id AS "apnsTeamId", ${environment(`${apns}_environment`)} AS "apnsEnvironment",
        ${base64(`${apns}_private_key`)} AS "apnsPrivateKeyBase64", ${fcm}_project_id AS "fcmProjectId",
        ${base64(`${fcm}_private_key`)} AS "fcmPrivateKeyBase64", hms_project_id AS "hmsProjectId",
        hms_client_id AS "hmsClientId", hms_client_secret AS "hmsClientSecret"
      FROM push_app_credentials ORDER BY id`,
    devices: `SELECT a.app_id AS "appId", d.user_id AS "userId", d.activation_id AS "activationId", lower(d.platform) AS platform,
        d.push_token AS token, coalesce(d.is_active, false) AS active, ${environment(ofDevice)} AS environment,
        ${environment(`a.${apns}_environment`)} AS "applicationEnvironment",
        ${time('d.timestamp_last_registered')} AS "timestampLastRegistered"
      FROM push_device_registration d LEFT JOIN push_app_credentials a ON a.id = d.app_id ORDER BY d.id`,
    inbox: `SELECT i.inbox_id AS id, i.user_id AS "userId", lower(i.${type}) AS type, i.subject, i.summary, i.body,
        coalesce(i.${read}, false) AS read, ${time('i.timestamp_created')} AS "timestampCreated",
        ${time('i.timestamp_read')} AS "timestampRead",
        ARRAY(SELECT a.app_id::text FROM push_inbox_app x JOIN push_app_credentials a ON a.id = x.app_credentials_id
          WHERE x.inbox_id = i.id ORDER BY a.id) AS applications
      FROM push_inbox i ORDER BY i.id`,
    campaigns: `SELECT c.id::text AS id, a.app_id AS "appId", c.message, coalesce(c.is_sent, false) AS sent,
        ${time('c.timestamp_created')} AS "timestampCreated"
      FROM push_campaign c LEFT JOIN push_app_credentials a ON a.id = c.app_id ORDER BY c.id`,
    'campaign-users': `SELECT u.campaign_id::text AS "campaignId", u.user_id AS "userId",
        CASE WHEN c.id IS NOT NULL THEN coalesce(c.is_sent, false) END AS sent
      FROM (SELECT DISTINCT campaign_id, user_id FROM push_campaign_user) u LEFT JOIN push_campaign c ON c.id = u.campaign_id
      ORDER BY u.campaign_id, u.user_id`,
  }
}

export const READ_COLUMNS = `SELECT table_name AS "table", column_name AS "column" FROM information_schema.columns
  WHERE table_schema = ANY (current_schemas(false)) AND table_name IN ('push_app_credentials', 'push_inbox')`

/** By the columns that came with each version; undefined: it is no database of these versions. */
export function versionOf(columns: readonly { table: string; column: string }[]): SourceVersion | undefined {
  const has = (table: string, column: string) => columns.some((each) => each.table === table && each.column === column)
  if (has('push_app_credentials', 'apns_key_id')) return '1.10'
  if (has('push_inbox', 'message_type')) return '1.9'
  return has('push_inbox', 'type') && has('push_app_credentials', 'ios_key_id') ? '1.7' : undefined
}

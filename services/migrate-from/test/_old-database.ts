// Databases of the reference server in the schemas of its versions, with rows that are awkward on purpose.
import { createDatabase, generateApnsKey, generateServiceAccount, type TestDatabase } from '@push-server/testing'
import type { SourceVersion } from '../src/source.ts'

const SCHEMAS: Record<SourceVersion, { credentials: string; device: string; inbox: string }> = {
  '1.7': { credentials: '', device: '', inbox: 'type varchar(32), read boolean' },
  '1.9': {
    credentials: ', timestamp_created timestamp NOT NULL DEFAULT now(), timestamp_last_updated timestamp',
    device: '',
    inbox: 'message_type varchar(32), is_read boolean',
  },
  '1.10': {
    credentials: `, timestamp_created timestamp NOT NULL DEFAULT now(), timestamp_last_updated timestamp,
      apns_private_key bytea, apns_team_id varchar(255), apns_key_id varchar(255), apns_bundle varchar(255),
      apns_environment varchar(32), fcm_private_key bytea, fcm_project_id varchar(255)`,
    device: ', environment varchar(255)',
    inbox: 'message_type varchar(32), is_read boolean',
  },
}

export async function createTables({ query }: TestDatabase, version: SourceVersion): Promise<void> {
  const { credentials, device, inbox } = SCHEMAS[version]
  await query(`CREATE TABLE push_app_credentials (id integer PRIMARY KEY, app_id varchar(255) NOT NULL UNIQUE,
    ios_key_id varchar(255), ios_private_key bytea, ios_team_id varchar(255), ios_bundle varchar(255),
    ios_environment varchar(32), android_private_key bytea, android_project_id varchar(255), hms_project_id varchar(255),
    hms_client_id varchar(255), hms_client_secret varchar(255)${credentials})`)
  await query(`CREATE TABLE push_device_registration (id integer PRIMARY KEY, activation_id varchar(37) UNIQUE,
    user_id varchar(255), app_id integer NOT NULL, platform varchar(255) NOT NULL, push_token varchar(255) NOT NULL,
    timestamp_last_registered timestamp(6) NOT NULL, is_active boolean${device})`)
  await query(`CREATE TABLE push_campaign (id integer PRIMARY KEY, app_id integer NOT NULL, message varchar(4000) NOT NULL,
    is_sent boolean NOT NULL DEFAULT false, timestamp_created timestamp NOT NULL, timestamp_sent timestamp,
    timestamp_completed timestamp)`)
  await query(`CREATE TABLE push_campaign_user (id serial PRIMARY KEY, campaign_id integer NOT NULL,
    user_id varchar(255) NOT NULL, timestamp_created timestamp NOT NULL DEFAULT now())`)
  await query(`CREATE TABLE push_inbox (id integer PRIMARY KEY, inbox_id varchar(37) NOT NULL, user_id varchar(255) NOT NULL,
    ${inbox}, subject text NOT NULL, summary text NOT NULL, body text NOT NULL, timestamp_created timestamp NOT NULL,
    timestamp_read timestamp)`)
  await query(`CREATE TABLE push_inbox_app (app_credentials_id integer, inbox_id integer,
    PRIMARY KEY (app_credentials_id, inbox_id))`)
}

/** What the moved data has to hold. */
export interface OldDatabase extends TestDatabase {
  /** By application: whom to send to, and the pushes that have to come, as `platform token`. */
  reachable: Record<string, { users: string[]; pushes: string[] }>
  /** Summary of all its rows, to see that none is changed. */
  fingerprint(): Promise<string>
}

export const LETTERS = {
  read: '5f1d3f7e-0d0a-4f8c-9c62-0a6d4f1b7a01',
  unread: '5f1d3f7e-0d0a-4f8c-9c62-0a6d4f1b7a02',
  hidden: '5f1d3f7e-0d0a-4f8c-9c62-0a6d4f1b7a03',
}
export const CAMPAIGNS = { unsent: 41, sent: 42, orphan: 43, unsentOfOther: 44 }

const PROJECT = 'test-project'
const at = '2024-07-08 12:00:00.123456'

export async function createOldDatabase(version: SourceVersion): Promise<OldDatabase> {
  const database = await createDatabase()
  const { query } = database
  await createTables(database, version)
  // As its owners may have set them: the transaction that reads it waits for each import.
  const [named] = await query<{ name: string }>('SELECT current_database() AS name')
  await query(`ALTER DATABASE ${named?.name} SET idle_in_transaction_session_timeout = 1`)
  await fillApplications(database, version)
  const reachable = await fillDevices(database, version)
  await fillCampaigns(database)
  await fillInbox(database, version)
  return {
    ...database,
    reachable,
    async fingerprint() {
      const tables = ['app_credentials', 'device_registration', 'campaign', 'campaign_user', 'inbox', 'inbox_app']
      const sums = tables.map((table) => `(SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM push_${table} t)`)
      const [row] = await query<{ sum: string }>(`SELECT concat_ws(' ', ${sums.join(', ')}) AS sum`)
      return row?.sum ?? ''
    },
  }
}

async function fillApplications({ query }: TestDatabase, version: SourceVersion): Promise<void> {
  const apns = version === '1.10' ? 'apns' : 'ios'
  const fcm = version === '1.10' ? 'fcm' : 'android'
  const [key, account] = [Buffer.from(generateApnsKey()), Buffer.from(generateServiceAccount())]
  await query(
    `INSERT INTO push_app_credentials (id, app_id, ${apns}_bundle, ${apns}_key_id, ${apns}_team_id, ${apns}_environment,
       ${apns}_private_key, ${fcm}_project_id, ${fcm}_private_key, hms_project_id, hms_client_id, hms_client_secret)
     VALUES (1, 'Bank "A"', 'some.bundle', 'KEYID12345', 'TEAMID1234', 'PRODUCTION', $1, $3, $2, 'HMS1', '1001', 'se"cret'),
       (2, 'other-bank', 'other.bundle', 'KEYID12345', 'TEAMID1234', NULL, $1, $3, $2, NULL, NULL, NULL),
       (3, 'without-credentials', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
       (4, 'damaged', 'some.bundle', 'KEYID12345', 'TEAMID1234', 'staging', 'no key', $3, $2, NULL, NULL, NULL),
       (5, 'removed-there', NULL, NULL, NULL, NULL, NULL, $3, $2, NULL, NULL, NULL)`,
    [key, account, PROJECT],
  )
  if (version !== '1.10') return
  // The values of the day of the upgrade: rotated since, and removed since.
  await query(
    `UPDATE push_app_credentials SET ios_bundle = 'stale.bundle', ios_key_id = 'STALEKEY12', ios_team_id = 'TEAMID1234',
       ios_private_key = $1, android_project_id = 'stale', android_private_key = 'stale' WHERE id IN (1, 5)`,
    [Buffer.from(generateApnsKey())],
  )
}

interface OldDevice {
  activation: string | null
  user: string | null
  app: number
  platform: string
  token: string
  active: boolean | null
  environment?: string
  /** As it is to come; undefined: it does not. */
  comes?: string
}

const HEX = 'ab'.repeat(32)

/** Names of platforms as the versions wrote them, and since 1.10 both families side by side. */
const devicesOf = (version: SourceVersion): OldDevice[] => {
  const isNew = version === '1.10'
  const [apns, fcm, hms] = isNew ? ['apns', 'fcm', 'hms'] : ['ios', 'android', 'huawei']
  return [
    { activation: 'a1', user: 'user "1"', app: 1, platform: 'ios', token: HEX.toUpperCase(), active: true, comes: HEX },
    {
      activation: 'a2',
      user: 'user-2',
      app: 1,
      platform: apns,
      token: `<${'cd12 '.repeat(15)}cd12>`,
      active: true,
      environment: 'PRODUCTION',
      comes: 'cd12'.repeat(16),
    },
    {
      activation: 'a3',
      user: 'user-2',
      app: 1,
      platform: 'ANDROID',
      token: 'Token:of_Android-1',
      active: true,
      comes: 'Token:of_Android-1',
    },
    {
      activation: 'a4',
      user: 'user-3',
      app: 1,
      platform: fcm,
      token: 'shared-token',
      active: true,
      comes: 'shared-token',
    },
    { activation: 'a5', user: 'user-4', app: 1, platform: fcm, token: 'shared-token', active: false },
    {
      activation: 'a6',
      user: 'user-5',
      app: 1,
      platform: hms,
      token: 'Token_of_Huawei',
      active: null,
      comes: 'Token_of_Huawei',
    },
    { activation: 'b1', user: 'user-1', app: 2, platform: apns, token: HEX, active: true, comes: HEX },
    { activation: 'd1', user: 'user-1', app: 4, platform: fcm, token: 'of-damaged', active: true, comes: 'of-damaged' },
    { activation: 'e1', user: 'user-1', app: 5, platform: fcm, token: 'of-removed', active: true, comes: 'of-removed' },
    { activation: null, user: 'user-6', app: 1, platform: 'ios', token: HEX, active: true },
    { activation: 'n1', user: null, app: 1, platform: 'ios', token: HEX, active: true },
    { activation: 'n2', user: 'user-7', app: 99, platform: 'ios', token: HEX, active: true },
    { activation: 'n3', user: 'user-8', app: 1, platform: 'ios', token: 'not hexadecimal', active: true },
    { activation: 'n4', user: 'user-9', app: 1, platform: 'windows', token: 'aa', active: true },
  ] as OldDevice[]
}

const NAMES = ['', 'Bank "A"', 'other-bank', 'without-credentials', 'damaged', 'removed-there']
const PLATFORMS: Record<string, string> = {
  ios: 'ios',
  apns: 'ios',
  android: 'android',
  fcm: 'android',
  huawei: 'huawei',
  hms: 'huawei',
}

async function fillDevices({ query }: TestDatabase, version: SourceVersion): Promise<OldDatabase['reachable']> {
  const reachable: OldDatabase['reachable'] = {}
  for (const [index, { activation, user, app, platform, token, active, environment, comes }] of devicesOf(
    version,
  ).entries()) {
    await query('INSERT INTO push_device_registration VALUES ($1, $2, $3, $4, $5, $6, $7, $8)', [
      index + 1,
      activation,
      user,
      app,
      platform,
      token,
      at,
      active,
    ])
    if (version === '1.10' && environment)
      await query('UPDATE push_device_registration SET environment = $1 WHERE id = $2', [environment, index + 1])
    if (comes === undefined || user === null) continue
    const of = (reachable[NAMES[app] ?? ''] ??= { users: [], pushes: [] })
    if (!of.users.includes(user)) of.users.push(user)
    of.pushes.push(`${PLATFORMS[platform.toLowerCase()] ?? ''} ${comes}`)
  }
  return reachable
}

async function fillCampaigns({ query }: TestDatabase): Promise<void> {
  const message = JSON.stringify({ title: 'Hello', extras: { n: 1 }, validUntil: null }, null, 2)
  await query(
    `INSERT INTO push_campaign VALUES ($2, 1, $1, false, $6, NULL, NULL), ($3, 1, $1, true, $6, $6, $6),
       ($4, 99, $1, false, $6, NULL, NULL), ($5, 2, $1, false, $6, NULL, NULL)`,
    [message, CAMPAIGNS.unsent, CAMPAIGNS.sent, CAMPAIGNS.orphan, CAMPAIGNS.unsentOfOther, at],
  )
  await query(
    `INSERT INTO push_campaign_user (campaign_id, user_id) VALUES ($1, 'user-2'), ($1, 'user-2'), ($1, 'user-3'), ($2, 'user-2'), (98, 'x')`,
    [CAMPAIGNS.unsent, CAMPAIGNS.sent],
  )
}

async function fillInbox({ query }: TestDatabase, version: SourceVersion): Promise<void> {
  const [type, read] = version === '1.7' ? ['type', 'read'] : ['message_type', 'is_read']
  await query(
    `INSERT INTO push_inbox (id, inbox_id, user_id, ${type}, subject, summary, body, ${read}, timestamp_created, timestamp_read)
     VALUES (7, $1, 'user-2', 'TEXT', 'Short', 's', E'Line 1\\nLine "2" ü', true, $4, '2024-07-08 13:00:00'),
       (8, $2, 'user-2', 'html', 'Subject', 's', '<html></html>', false, $4, NULL),
       (9, $3, 'user-2', 'text', 'Subject', 's', 'shown by nothing', NULL, $4, NULL)`,
    [LETTERS.read, LETTERS.unread, LETTERS.hidden, at],
  )
  await query('INSERT INTO push_inbox_app VALUES (1, 7), (2, 7), (1, 8), (99, 9)')
}

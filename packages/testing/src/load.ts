// Load as a careful back end makes it: batches under keys of their own, sent again until they are known to be stored.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { PLATFORMS, type Platform } from '@push-server/contract'
import type { Api } from './api.ts'
import type { TestDatabase } from './database.ts'

export interface Crowd {
  appId: string
  /** `<appId>-1` and so on. */
  users: number
  /** Each user has one phone: of these platforms in turn. */
  platforms?: readonly Platform[]
  /** Hexadecimal: what tokens begin with, which keeps those of two crowds apart. */
  prefix?: string
}

/** Registers a phone for each user of an application that is configured. */
export async function registerCrowd({ query }: Pick<TestDatabase, 'query'>, crowd: Crowd): Promise<void> {
  const { appId, users, platforms = PLATFORMS, prefix = '' } = crowd
  await query(
    `INSERT INTO devices (application_id, user_id, activation_id, platform, token, bucket, active, registered_at)
     SELECT id, $1 || '-' || n, md5($1 || $3 || n), ($2::text[])[n % cardinality($2::text[]) + 1],
       $3 || lpad(to_hex(n), 64 - length($3), '0'), n % 1024, true, now() - interval '1 hour'
     FROM applications, generate_series(1, $4::int) n WHERE app_id = $1`,
    [appId, platforms, prefix, users],
  )
  await analyzeDevices({ query })
}

/**
 * After many rows at once, as autovacuum does within a minute: without statistics PostgreSQL looks for one device, or one token,
 * among all of the application's.
 */
export async function analyzeDevices({ query }: Pick<TestDatabase, 'query'>): Promise<void> {
  await query('ANALYZE devices')
}

const BATCH = 20
const AT_ONCE = 4
const RETRY_MS = 50
/** For what never comes back: a test that has failed must not go on sending for ever. */
const HANG_MS = 600_000

export interface Sent {
  /** Of every message that was accepted. */
  messageIds: string[]
  /** Requests that were made again, as nobody could know whether they were stored. */
  duplicated: number
}

/** One message to each user; resolves once all of them are accepted. Anything but 200 and 503 is an error. */
export async function sendToCrowd(api: Api, { appId, users }: Crowd): Promise<Sent> {
  const sent: Sent = { messageIds: [], duplicated: 0 }
  const starts = Array.from({ length: Math.ceil(users / BATCH) }, (_, batch) => batch * BATCH + 1)
  const sendSome = async (): Promise<void> => {
    for (let start = starts.shift(); start; start = starts.shift()) {
      const length = Math.min(BATCH, users - start + 1)
      const batch = Array.from({ length }, (_, index) => ({
        userId: `${appId}-${start + index}`,
        body: { title: 'Market closed', body: 'We open again on Monday.' },
      }))
      const { messageIds, duplicated } = await acceptSurely(api, '/push/message/batch/send', { appId, batch })
      sent.messageIds.push(...messageIds)
      sent.duplicated += duplicated
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, sendSome))
  return sent
}

/** Sends it, ASYNCHRONOUS, until it is accepted; the key keeps it from being stored twice. */
export async function acceptSurely(api: Api, path: string, object: object): Promise<Sent> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() }
  const body = JSON.stringify({ requestObject: { mode: 'ASYNCHRONOUS', ...object } })
  const since = performance.now()
  for (let duplicated = 0; performance.now() - since < HANG_MS; duplicated++) {
    // A gateway that is killed cuts the connection; one without a database says 503.
    const response = await api.call('POST', path, { body, headers }).catch(() => undefined)
    if (response?.status === 200) return { messageIds: response.body.responseObject.messageIds, duplicated }
    if (response && response.status !== 503)
      throw new Error(`${path}: ${response.status} ${JSON.stringify(response.body)}`)
    await sleep(RETRY_MS)
  }
  throw new Error(`${path} was not accepted within ${HANG_MS} ms`)
}

// The floor as a target: two programs of a hundred lines on the same PostgreSQL, Redis and provider, which show what accepting and
// delivering a message durably costs at least.
import { freePort } from '@push-server/testing'
import { Client } from 'pg'
import { SCHEMA, type FloorSettings } from '../floor/schema.ts'
import { startScript } from '../processes.ts'
import type { Stage } from '../stage.ts'
import { audienceOf, tokenOf, userIdOf, usersOfEach } from './audience.ts'
import { USUAL } from './cells.ts'
import { openDatabase } from './database.ts'
import type { Target } from './ground.ts'

const DATABASE = 'floor'
const OPEN_DELIVERIES = 'SELECT FROM deliveries WHERE sent_at IS NULL LIMIT 1'

/** For messages to the usual audience. Of a stage with Redis; once. */
export async function startFloor({ environment, redis }: Stage): Promise<Target> {
  const { DATABASE_URL = '', REDIS_URL = '', APNS_PRODUCTION_URL = '', APNS_CA_FILE = '' } = environment
  if (!redis) throw new Error('The floor has its queue in Redis')
  await using opening = new AsyncDisposableStack()
  await withClient(DATABASE_URL, (client) => client.query(`CREATE DATABASE ${DATABASE}`))
  const url = new URL(DATABASE_URL)
  url.pathname = DATABASE
  await withClient(url.href, makeTables)
  const port = await freePort()
  const settings: FloorSettings = {
    database: url.href,
    redis: REDIS_URL,
    port,
    provider: APNS_PRODUCTION_URL,
    caFile: APNS_CA_FILE,
  }
  const args = [JSON.stringify(settings)]
  const { process: worker } = await startScript('floor/worker.ts', args)
  opening.defer(worker.stop)
  const { process: gateway } = await startScript('floor/gateway.ts', args)
  opening.defer(gateway.stop)
  const database = await openDatabase(url.href)
  opening.defer(database.close)
  const opened = opening.move()
  return {
    urls: [`http://127.0.0.1:${port}`],
    processes: { gateway: [gateway], workers: [worker], scheduler: [] },
    database,
    isSettled: async () => (await database.query(OPEN_DELIVERIES)).length === 0,
    async maintain() {
      for (const statement of ['VACUUM (ANALYZE)', 'CHECKPOINT']) await database.query(statement)
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

async function makeTables(client: Client): Promise<void> {
  const audience = audienceOf(USUAL)
  const users = Array.from({ length: usersOfEach(audience) }, (_, user) => user)
  await client.query(SCHEMA)
  await client.query('INSERT INTO devices SELECT * FROM unnest($1::text[], $2::text[])', [
    users.map(userIdOf),
    users.map((user) => tokenOf(audience, 0, user)),
  ])
  await client.query('ANALYZE')
}

async function withClient(url: string, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

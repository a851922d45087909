// The least that accepting a message durably can cost: HTTP, a schema, and one statement and one job for everything that has
// come while the statement before was on its way. No keys, quotas, idempotency, activations or logs.
import { randomUUID } from 'node:crypto'
import { Queue } from 'bullmq'
import Fastify from 'fastify'
import { Client } from 'pg'
import { connectionTo, QUEUE, settingsFrom, type FloorJob } from './schema.ts'

interface Body {
  requestObject: { message: { userId: string; body: object } }
}

interface Waiting {
  id: string
  userId: string
  body: string
  settle: PromiseWithResolvers<void>
}

const LARGEST = 500
const text = { type: 'string', minLength: 1, maxLength: 255 }
const message = {
  type: 'object',
  required: ['userId', 'body'],
  properties: {
    userId: text,
    body: { type: 'object', properties: { title: { type: 'string' }, body: { type: 'string' } } },
  },
}
const schema = {
  body: {
    type: 'object',
    required: ['requestObject'],
    properties: {
      requestObject: {
        type: 'object',
        required: ['appId', 'message'],
        properties: { appId: text, mode: { enum: ['ASYNCHRONOUS'] }, message },
      },
    },
  },
  response: { 200: { type: 'object', properties: { status: { type: 'string' }, id: { type: 'string' } } } },
}

/** Messages, and a delivery to each device of their users. */
const STORE = {
  name: 'store',
  text: `WITH given AS (SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[]) AS given (id, user_id, body)),
    stored AS (INSERT INTO messages (id, user_id, body) SELECT id, user_id, body FROM given),
    due AS (
      INSERT INTO deliveries (message_id, token)
      SELECT given.id, devices.token FROM given JOIN devices USING (user_id) RETURNING id
    )
    SELECT min(id) AS first, max(id) AS last FROM due`,
}

const settings = settingsFrom(process.argv)
const database = new Client({ connectionString: settings.database })
await database.connect()
const queue = new Queue<FloorJob>(QUEUE, {
  connection: connectionTo(settings),
  defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
})

let waiting: Waiting[] = []
let isStoring = false

async function storeAll(): Promise<void> {
  if (isStoring) return
  isStoring = true
  while (waiting.length > 0) {
    const batch = waiting.slice(0, LARGEST)
    waiting = waiting.slice(LARGEST)
    await store(batch).then(
      () => batch.forEach(({ settle }) => settle.resolve()),
      (error: unknown) => batch.forEach(({ settle }) => settle.reject(error)),
    )
  }
  isStoring = false
}

async function store(batch: readonly Waiting[]): Promise<void> {
  const values = [batch.map(({ id }) => id), batch.map(({ userId }) => userId), batch.map(({ body }) => body)]
  const { rows } = await database.query<FloorJob>({ ...STORE, values })
  if (rows[0]) await queue.add('batch', rows[0])
}

const app = Fastify()
app.post<{ Body: Body }>('/push/message/send', { schema }, async (request) => {
  const { userId, body } = request.body.requestObject.message
  const id = randomUUID()
  const settle = Promise.withResolvers<void>()
  waiting.push({ id, userId, body: JSON.stringify(body), settle })
  queueMicrotask(() => void storeAll())
  await settle.promise
  return { status: 'OK', id }
})
await app.listen({ port: settings.port, host: '127.0.0.1' })
process.stdout.write('ready\n')

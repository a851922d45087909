// The least that delivering can cost: a batch is read by one statement, each of its pushes has a stream of its own, and everything
// that was sent while a statement was on its way is recorded by the next one. No claims, leases, retries or concurrency limits.
import { generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:http2'
import { Worker } from 'bullmq'
import { Pool } from 'pg'
import { connectionTo, QUEUE, settingsFrom, type FloorJob } from './schema.ts'

interface Delivery {
  id: string
  token: string
  body: string
}

/** APNs allows a thousand streams. */
const STREAMS = 1_000
const BATCHES = 200
const READ = {
  name: 'read',
  text: `SELECT deliveries.id, token, body FROM deliveries JOIN messages ON messages.id = message_id
    WHERE deliveries.id BETWEEN $1 AND $2 AND sent_at IS NULL`,
}
const RECORD = { name: 'record', text: 'UPDATE deliveries SET sent_at = now() WHERE id = ANY($1::bigint[])' }

const settings = settingsFrom(process.argv)
const database = new Pool({ connectionString: settings.database, max: 4 })
const session = connect(settings.provider, { ca: readFileSync(settings.caFile) })
await once(session, 'remoteSettings')

const encoded = (object: object) => Buffer.from(JSON.stringify(object)).toString('base64url')
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const claims = `${encoded({ alg: 'ES256', kid: 'KEYID12345' })}.${encoded({ iss: 'TEAMID1234', iat: Math.floor(Date.now() / 1000) })}`
const signature = sign('SHA256', Buffer.from(claims), { key: privateKey, dsaEncoding: 'ieee-p1363' })
const headers = {
  ':method': 'POST',
  authorization: `bearer ${claims}.${signature.toString('base64url')}`,
  'apns-topic': 'com.example.app',
  'apns-push-type': 'alert',
  'apns-priority': '10',
}

let sent: string[] = []
let isRecording = false

async function recordAll(): Promise<void> {
  if (isRecording) return
  isRecording = true
  while (sent.length > 0) {
    const ids = sent
    sent = []
    await database.query({ ...RECORD, values: [ids] })
  }
  isRecording = false
}

let free = STREAMS
const waiting: (() => void)[] = []

async function push({ id, token, body }: Delivery): Promise<void> {
  if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve))
  else free--
  const stream = session.request({ ...headers, ':path': `/3/device/${token}` })
  stream.on('response', ({ ':status': status }) => {
    if (status !== 200) throw new Error(`The provider responded with ${status}`)
    sent.push(id)
    void recordAll()
  })
  stream.end(`{"aps":{"alert":${body}}}`)
  stream.resume()
  await once(stream, 'close')
  const next = waiting.shift()
  if (next) next()
  else free++
}

const worker = new Worker<FloorJob>(
  QUEUE,
  async ({ data: { first, last } }) => {
    const { rows } = await database.query<Delivery>({ ...READ, values: [first, last] })
    await Promise.all(rows.map(push))
  },
  { connection: connectionTo(settings), concurrency: BATCHES },
)
await worker.waitUntilReady()
process.stdout.write('ready\n')

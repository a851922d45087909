// `npm run structure [-- --files]`: the tree in numbers, for whoever changes its shape: what a warm direct push and a small campaign
// run through, and how the sources lie. `--files` names the files of both ways.
import { parseArgs } from 'node:util'
import { startRedis } from './testing/redis.ts'
import { openTemporaryPostgres } from './database/temporary-postgres.ts'
import { findBreaches, readPackages } from './checks/layers.ts'
import { circlesOf, foldersOf, quantile, readSources } from './structure/shape.ts'
import { executedBy, type Executed } from './structure/executed.ts'

const USERS = 20
const WARM_UPS = 5
const APP = 'structure'

const { values } = parseArgs({ options: { files: { type: 'boolean', default: false } } })
const print = (line: string) => void process.stdout.write(`${line}\n`)

/** A whole server in this process, with one phone for each user. */
async function openServer() {
  const { openTestStack, BACKENDS, waitFor } = await import('../packages/testing/src/index.ts')
  const backend = BACKENDS.find(({ name, skip }) => name === 'redis' && !skip) ?? BACKENDS[0]
  // Nothing but the call is to run: the sweep comes by once a minute.
  const environment = { SWEEP_INTERVAL: '60s', LEASE_TIME: '60s' }
  const stack = await openTestStack({ ...(backend && { backend }), environment })
  await stack.configure(APP)
  const users = Array.from({ length: USERS }, (_, number) => `user-${number}`)
  for (const userId of users)
    await stack.register({ userId, appId: APP, token: Buffer.from(userId).toString('hex').padEnd(64, '0') })
  return { stack, users, waitFor }
}

type Server = Awaited<ReturnType<typeof openServer>>

async function sendMessage({ stack, users: [userId] }: Server): Promise<void> {
  const message = { userId, body: { title: 'Balance update', body: '$745.00' } }
  const { status, body } = await stack.api.post('/push/message/send', { appId: APP, message, mode: 'SYNCHRONOUS' })
  if (status !== 200 || body.responseObject.result.ios.sent !== 1)
    throw new Error(`The message was not sent: ${JSON.stringify(body)}`)
}

async function sendCampaign({ stack, users, waitFor }: Server): Promise<void> {
  const { api } = stack
  const created = await api.post('/push/campaign/create', { appId: APP, message: { title: 'News', body: 'For all' } })
  const { id } = created.body.responseObject
  await api.post(`/push/campaign/${id}/user/add`, users)
  await api.post(`/push/campaign/send/live/${id}`, {})
  await waitFor('the campaign to be sent', async () => {
    const { body } = await api.get(`/push/campaign/${id}/progress`)
    return body.responseObject.state === 'sent'
  })
}

function printWay(name: string, { files, functions }: Executed): void {
  print(`${name}: ${files.length} files, ${functions} functions`)
  if (values.files) for (const file of files) print(`  ${file}`)
}

function printSizes(what: string, lines: readonly number[]): void {
  print(`${lines.length} ${what}: median ${quantile(lines, 0.5)} lines, 90 % have at most ${quantile(lines, 0.9)}`)
}

function printShape(functionLines: readonly number[]): void {
  const sources = readSources('.')
  printSizes(
    'files',
    sources.map(({ lines }) => lines),
  )
  printSizes('functions', functionLines)
  print(`calls of Prisma Client: ${sources.reduce((sum, { prismaCalls }) => sum + prismaCalls, 0)}`)
  print(`imports upwards or past an index: ${findBreaches(readPackages('.')).length}`)
  const circles = circlesOf(sources)
  print(`circles: ${circles.length}`)
  for (const circle of circles) print(`  ${circle.join(' · ')}`)
  for (const { folder, files, floors, arrows } of foldersOf(sources, 5))
    print(`${folder}: ${files} files on ${floors} floors, ${arrows} imports within`)
}

const redis = await startRedis(process.env.TEST_REDIS_URL ?? process.env.REDIS_URL)
if (redis) process.env.TEST_REDIS_URL = redis.url
const postgres = await openTemporaryPostgres()
process.env.TEST_DATABASE_URL = postgres.url
try {
  const server = await openServer()
  try {
    printWay('a warm direct push', await executedBy(() => sendMessage(server), WARM_UPS))
    const campaign = await executedBy(() => sendCampaign(server), 1)
    printWay(`a campaign to ${USERS} phones`, campaign)
    printShape(campaign.functionLines)
  } finally {
    await server.stack.close()
  }
} finally {
  await postgres.close()
  await redis?.stop()
}

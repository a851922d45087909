// The length of a campaign must not show in memory: what is alive after many chunks is what was alive after a few.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextIteration } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t, { type Test } from 'tap'
import { PLATFORMS } from '@push-server/contract'
import { startLoadServer } from '@push-server/simulator'
import { APP, openTestStack, registerCrowd, waitFor, type TestStack } from '@push-server/testing'

t.setTimeout(300_000)

/** Chunks of a run: 8 on iOS, 8 on Android, 4 on Huawei. */
const USERS = 12_000
const RUNS = 9
/** Code that V8 compiles meanwhile takes up to 3; the tokens alone of what those runs push would take 7. */
const ALLOWED_MB = 5

/** A connection has buffers of its own and is opened when the limit of pushes in flight has grown, which would count as growth here. */
const FEW_CONNECTIONS = {
  APNS_CONCURRENCY: '1000',
  FCM_CONCURRENCY: '1000',
  FCM_CONNECTIONS: '10',
  HMS_CONCURRENCY: '16',
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** MB that are alive. An iteration of the event loop releases what was only just in use. */
async function alive(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    await nextIteration()
    collect()
  }
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 2 ** 20
}

/** Providers that remember nothing, unlike the simulator with its phones. */
async function forgetfulProviders(t: Test): Promise<Record<string, string>> {
  const { port, ca, stop } = await startLoadServer({ latencyMs: { min: 5, max: 15 } })
  t.teardown(stop)
  const folder = await mkdtemp(join(tmpdir(), 'push-memory-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const file = join(folder, 'authority.pem')
  await writeFile(file, ca)
  const origin = `https://localhost:${port}`
  return {
    APNS_PRODUCTION_URL: origin,
    APNS_CA_FILE: file,
    FCM_BASE_URL: origin,
    FCM_TOKEN_URL: `${origin}/token`,
    FCM_CA_FILE: file,
    HMS_BASE_URL: origin,
    HMS_TOKEN_URL: `${origin}/token`,
    HMS_CA_FILE: file,
  }
}

async function createCampaign({ api }: TestStack): Promise<string> {
  const message = { title: 'Market closed', body: 'We open again on Monday.' }
  const { body } = await api.post('/push/campaign/create', { appId: APP, message })
  const id: string = body.responseObject.id
  await api.post(
    `/push/campaign/${id}/user/add`,
    Array.from({ length: USERS }, (_, index) => `${APP}-${index + 1}`),
  )
  return id
}

async function send({ api }: TestStack, id: string): Promise<void> {
  await api.post(`/push/campaign/send/live/${id}?resend=true`, {})
  const isSent = async () => (await api.get(`/push/campaign/${id}/progress`)).body.responseObject.state === 'sent'
  await waitFor(`campaign ${id} to be sent`, isSent, 60_000)
}

t.test('200 chunks leave as much alive as 20', async (t) => {
  const stack = await openTestStack({ environment: { ...(await forgetfulProviders(t)), ...FEW_CONNECTIONS } })
  t.teardown(() => stack.close())
  await stack.configure(APP, PLATFORMS)
  await registerCrowd(stack.database, { appId: APP, users: USERS })
  const id = await createCampaign(stack)
  await send(stack, id)
  const before = await alive()
  for (let run = 0; run < RUNS; run++) await send(stack, id)
  const after = await alive()
  const each = { sent: USERS / 3, pending: 0, failed: 0, total: USERS / 3 }
  const { body } = await stack.api.get(`/push/campaign/${id}/detail`)
  t.same(body.responseObject.result, { ios: each, android: each, huawei: each })
  t.comment(`alive: ${before.toFixed(1)} MB after one run, ${after.toFixed(1)} MB after ${RUNS + 1}`)
  t.ok(after - before < ALLOWED_MB, `grew by ${(after - before).toFixed(1)} MB, ${ALLOWED_MB} MB are allowed`)
})

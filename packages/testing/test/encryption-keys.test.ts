// Processes with another encryption key than the one that the stored credentials were encrypted with.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { SERVICE_SETTINGS, openContext } from '@push-server/domain'
import { createLogger, readConfig } from '@push-server/runtime'
import { APP, freePort, generateUpdates, openTestStack, spawnService, waitFor } from '@push-server/testing'

t.setTimeout(120_000)
const newKey = () => randomBytes(32).toString('base64')
const stack = await openTestStack({ services: ['gateway'] })
t.teardown(() => stack.close())
const { api, environment } = stack

const openWith = async (changed: Record<string, string>) => {
  const config = readConfig({ ...environment, ...changed }, SERVICE_SETTINGS)
  return openContext(config, createLogger(config, 'test'))
}

async function send(): Promise<string> {
  const sent = await api.post('/push/message/send', {
    appId: APP,
    mode: 'ASYNCHRONOUS',
    message: { userId: 'user', body: { title: 'T', body: 'B' } },
  })
  const [id] = sent.body.responseObject.messageIds as [string]
  return id
}

const statusOf = async (id: string) => (await api.get(`/push/message/${id}`)).body.responseObject.deliveries[0]

t.test('a worker that was started before there were credentials: unready, and the message says why', async (t) => {
  const port = String(await freePort())
  const other = spawnService('apns-worker', { ...environment, ENCRYPTION_KEY: newKey(), HEALTH_PORT: port })
  t.teardown(() => other.kill())
  const ready = () => fetch(`http://127.0.0.1:${port}/health/ready`)
  await waitFor('the worker to be ready', async () => (await ready().catch(() => undefined))?.ok === true)

  await stack.configure()
  await stack.register({ userId: 'user', token: 'aabb' })
  const response = await ready()
  t.equal(response.status, 503)
  t.match(await response.json(), { parts: { 'encryption keys': { status: 'down', essential: true } } })

  const id = await send()
  await waitFor('the reason', async () => (await statusOf(id)).reason === 'UnknownEncryptionKey')
  t.match(await statusOf(id), { status: 'pending', timestampNextAttempt: String })

  await stack.start('apns')
  // Chance decides which of them takes a job. The one without the key gives it back, and never for longer than before.
  const more = await Promise.all(Array.from({ length: 40 }, send))
  await waitFor('the pushes of a worker that has the key', async () => {
    const statuses = await Promise.all([id, ...more].map(statusOf))
    for (const { timestampNextAttempt: next, reason } of statuses)
      if (reason === 'UnknownEncryptionKey' && next) t.ok(Date.parse(next) - Date.now() < 2000, next)
    return statuses.every(({ status }) => status === 'sent')
  })
  t.equal(await other.stop(), 0)
})

t.test('nothing starts that can read none of them', async (t) => {
  for (const name of ['api-gateway', 'apns-worker', 'campaign-scheduler']) {
    const started = spawnService(name, { ...environment, PORT: '0', ENCRYPTION_KEY: newKey() })
    t.teardown(() => started.kill())
    await started.ended
    t.equal(await started.stop(), 1, name)
  }
  const key = newKey()
  await t.rejects(openWith({ ENCRYPTION_KEY: key }), {
    name: 'ConfigError',
    message:
      /^ENCRYPTION_KEY: the stored credentials were encrypted with other keys: [0-9a-f]{16} \(1 credentials\)\. Give the key/,
  })
  const rotated = await openWith({ ENCRYPTION_KEY: key, ENCRYPTION_KEYS_OLD: environment.ENCRYPTION_KEY ?? '' })
  t.teardown(() => rotated.close())
  t.equal(
    (await rotated.store.credentials.keyUse()).unknown.length,
    0,
    'with the former key among the old ones it starts',
  )
})

t.test('a gateway seals no upload that nobody else could open', async (t) => {
  const gateway = await openTestStack({ services: ['gateway'] })
  t.teardown(() => gateway.close())
  await gateway.configure(APP, [])
  const other = await openWith({ DATABASE_URL: gateway.database.url, ENCRYPTION_KEY: newKey() })
  t.teardown(() => other.close())
  const application = await other.store.applications.find(APP)
  const upload = () => gateway.api.post('/admin/app/huawei/update', { appId: APP, ...generateUpdates.huawei() })
  await other.store.credentials.put(
    { applicationId: application?.id ?? 0, platform: 'android' },
    { settings: {}, secret: Buffer.from('secret') },
  )
  const { status, body, headers } = await upload()
  t.equal(status, 503)
  t.match(body.responseObject, { code: 'ERROR_UNAVAILABLE', message: /lacks the encryption key/ })
  t.ok(headers.get('retry-after'))
  const ready = await gateway.api.get('/health/ready')
  t.match(ready.body.parts, { 'encryption keys': { status: 'down', essential: false } })
  t.equal(ready.status, 200)
  await other.store.credentials.remove({ applicationId: application?.id ?? 0, platform: 'android' })
  t.equal((await upload()).status, 200)
})

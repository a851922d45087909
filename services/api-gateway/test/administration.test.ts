// Applications and their credentials under both families of names, from the first request to the removal of everything.
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import type { Platform } from '@push-server/contract'
import { readBuild } from '@push-server/runtime'
import {
  APNS_SETTINGS,
  generateHuaweiAccount,
  generateServiceAccount,
  openTestStack,
  waitFor,
  type Response,
} from '@push-server/testing'
import { APP, base64, credentials, json, newToken, openGateway } from './_gateway.ts'
import { isOk, refusedWith, violates } from './_watched-api.ts'

const gateway = await openGateway()
t.teardown(() => gateway.stack.close())
const { api, database, stack, makeApplication, changesNothing } = gateway
const { call, get, post } = api

const SECRET = 'hunter2-of-the-client'
interface ProviderCase {
  platform: Platform
  provider: string
  /** Valid but for the application. */
  request(): object
  /** As the detail shows them, without the family. */
  shown: Record<string, string>
}
const PROVIDERS: ProviderCase[] = [
  {
    platform: 'ios',
    provider: 'apns',
    request: () => credentials(),
    shown: { Bundle: APNS_SETTINGS.bundle, KeyId: APNS_SETTINGS.keyId, TeamId: APNS_SETTINGS.teamId },
  },
  {
    platform: 'android',
    provider: 'fcm',
    request: () => ({ projectId: 'test-project', privateKeyBase64: base64(generateServiceAccount()) }),
    shown: { ProjectId: 'test-project' },
  },
  {
    platform: 'huawei',
    provider: 'hms',
    request: () => ({ projectId: 'HMS123', clientId: '100000001', clientSecret: SECRET }),
    shown: { ProjectId: 'HMS123' },
  },
]
const FLAGS = ['ios', 'android', 'huawei', 'apns', 'fcm', 'hms']
const flagsWith = (...set: string[]) => Object.fromEntries(FLAGS.map((name) => [name, set.includes(name)]))
const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)
const unknownText = (appId: string) => `Application credentials with entered ID: ${appId} does not exist`

for (const { platform, provider, request, shown } of PROVIDERS) {
  const older = `/admin/app/${platform}/update`
  const newer = `/admin/app/${provider}`

  t.test(`C-71 ${provider}: set, shown and removed under both names`, async (t) => {
    const appId = await makeApplication()
    const detail = async (more: object) => (await post('/admin/app/detail', { appId, ...more })).body.responseObject
    const settings = Object.fromEntries(
      [platform, provider].flatMap((family) => Object.entries(shown).map(([name, value]) => [family + name, value])),
    )
    const configured = { application: { appId, ...flagsWith(platform, provider) } }
    const removals = [
      ['DELETE', `${newer}?appId=${appId}`, undefined],
      ['DELETE', `/admin/app/${platform}/remove?appId=${appId}`, undefined],
      ['DELETE', `/admin/app/${platform}/remove`, json({ requestObject: { appId } })],
      ['POST', `/admin/app/${platform}/remove`, json({ requestObject: { appId } })],
    ] as const
    const updates = [newer, older].flatMap((path) => ['PUT', 'POST'].map((method) => [method, path] as const))
    for (const [index, [method, path]] of updates.entries()) {
      const response = await call(method, path, json({ requestObject: { appId, ...request() } }))
      t.same([response.status, response.body], [200, { status: 'OK' }], `${method} ${path}`)
      t.same(await detail({}), configured, 'settings only on request')
      for (const name of [platform, provider]) {
        const flag = `include${capital(name)}`
        t.same(await detail({ [flag]: true }), { ...configured, ...settings }, flag)
        t.same(await detail({ [flag]: false }), configured, `${flag}: false`)
        t.same(await detail({ [flag]: null }), configured, `${flag}: null`)
        violates(t, await post('/admin/app/detail', { appId, [flag]: 'yes' }), [`requestObject.${flag}`, /boolean/])
      }
      const whole = JSON.stringify(
        await detail(Object.fromEntries(FLAGS.map((name) => [`include${capital(name)}`, true]))),
      )
      t.notMatch(whole, /PRIVATE|secret|hunter2|clientId|100000001/i, 'no secret is shown')
      const [removeMethod, removePath, init] = removals[index] ?? removals[0]
      for (const time of ['first', 'second'])
        isOk(t, await call(removeMethod, removePath, init), `${removeMethod} ${removePath}, ${time} time`)
      t.same(await detail({}), { application: { appId, ...flagsWith() } }, 'removed')
    }
  })

  t.test(`C-72 ${provider}: every error by its field, all at once`, async (t) => {
    const paths = platform === 'huawei' ? [newer, older] : [newer]
    await changesNothing(t, async () => {
      for (const [path, method] of paths.flatMap((path) => [[path, 'PUT'] as const, [path, 'POST'] as const])) {
        const update = (object: unknown) => call(method, path, json({ requestObject: object }))
        const valid = { appId: APP, ...request() }
        for (const object of [null, undefined])
          violates(t, await update(object), ['requestObject', /^must not be null$/], `${method} ${path} ${object}`)
        const fields = Object.keys(valid).toSorted()
        const { body } = await update({})
        t.same(
          body.responseObject.violations.map((violation: object) => JSON.stringify(violation)).toSorted(),
          fields.map((field) => JSON.stringify({ fieldName: `requestObject.${field}`, hint: 'must not be blank' })),
          'all at once',
        )
        for (const field of fields)
          for (const value of [null, '', ' \t'])
            violates(t, await update({ ...valid, [field]: value }), [`requestObject.${field}`, /^must not be blank$/])
        refusedWith(t, await update({ ...valid, appId: 'nowhere' }), unknownText('nowhere'))
      }
    })
  })

  t.test(`C-73 ${provider}: removal by query`, async (t) => {
    await changesNothing(t, async () => {
      violates(t, await call('DELETE', newer), ['appId', /^must not be blank$/], 'without a parameter')
      refusedWith(t, await call('DELETE', `${newer}?appId=`), unknownText(''), 'with an empty one')
      violates(t, await call('DELETE', `${newer}?appId=${'x'.repeat(256)}`), ['appId', /at most 255/])
      refusedWith(t, await call('DELETE', `${newer}?appId=nowhere`), unknownText('nowhere'))
    })
    const { status, headers } = await get(newer)
    t.same([status, headers.get('allow')?.split(', ').toSorted()], [405, ['DELETE', 'POST', 'PUT']])
  })
}

t.test('the service account of Huawei stands beside the client: neither call changes the other one', async (t) => {
  const appId = await makeApplication()
  const UPDATE = '/admin/app/huawei/account/update'
  const REMOVE = '/admin/app/huawei/account/remove'
  const account = (more: object = {}) => ({
    appId,
    projectId: 'test-project',
    privateKeyBase64: base64(generateHuaweiAccount()),
    ...more,
  })
  const client = (more: object = {}) => ({
    appId,
    projectId: 'test-project',
    clientId: '1',
    clientSecret: SECRET,
    ...more,
  })
  const detail = async () => {
    const { body } = await post('/admin/app/detail', { appId, includeHuawei: true })
    const { application, ...settings } = body.responseObject
    t.notMatch(JSON.stringify(body), /PRIVATE|hunter2|100000002/, 'no secret is shown')
    return { huawei: application.huawei, ...settings }
  }
  const shownOf = (apis: string, category: string) =>
    Object.fromEntries(
      ['huawei', 'hms'].flatMap((family) => [
        [`${family}ProjectId`, 'test-project'],
        [`${family}Apis`, apis],
        [`${family}AccountKeyId`, 'test'],
        [`${family}Category`, category],
      ]),
    )
  const clientAlone = { huawei: true, huaweiProjectId: 'test-project', hmsProjectId: 'test-project' }

  isOk(t, await call('PUT', UPDATE, json({ requestObject: account() })), 'alone')
  t.same(await detail(), { huawei: true, ...shownOf('3', 'MARKETING') })
  isOk(t, await post('/admin/app/huawei/update', client()), 'the client comes')
  t.same(await detail(), { huawei: true, ...shownOf('2, 3', 'MARKETING') })
  isOk(t, await post(UPDATE, account({ category: 'FINANCE' })), 'another category')
  t.same(await detail(), { huawei: true, ...shownOf('2, 3', 'FINANCE') })
  isOk(
    t,
    await post('/admin/app/hms', client({ clientSecret: 'another', projectId: 'other' })),
    'another project, for itself',
  )
  t.match(await detail(), { huaweiProjectId: 'other', huaweiApis: '2, 3', huaweiCategory: 'FINANCE' })
  isOk(t, await post('/admin/app/hms', client({ clientSecret: 'another' })), 'and back')
  t.same(await detail(), { huawei: true, ...shownOf('2, 3', 'FINANCE') })

  for (const [path, object, field, hint] of [
    [UPDATE, account({ projectId: 'other' }), 'projectId', /another project/],
    [UPDATE, account({ privateKeyBase64: base64('{}') }), 'privateKeyBase64', /lacks "project_id"/],
    [UPDATE, account({ privateKeyBase64: '%' }), 'privateKeyBase64', /base64/],
    [UPDATE, account({ category: 'NEWS' }), 'category', /./],
  ] as const)
    violates(t, await post(path, object), [`requestObject.${field}`, hint], `${path} ${field}`)
  refusedWith(t, await post(UPDATE, account({ appId: 'nowhere' })), unknownText('nowhere'))
  t.same(await detail(), { huawei: true, ...shownOf('2, 3', 'FINANCE') }, 'what is refused changes nothing')

  const [{ stored } = { stored: '' }] = await database.query<{ stored: string }>(
    `SELECT encode(secret, 'escape') AS stored FROM credentials k JOIN applications a ON a.id = k.application_id
     WHERE a.app_id = $1 AND platform = 'huawei'`,
    [appId],
  )
  t.notMatch(stored, /PRIVATE|another|sub_account/, 'encrypted')

  isOk(t, await call('DELETE', `${REMOVE}?appId=${appId}`), 'the account goes')
  t.same(await detail(), clientAlone)
  isOk(t, await post(REMOVE, { appId }), 'and is gone')
  t.same(await detail(), clientAlone)
  isOk(t, await post(UPDATE, account()), 'it comes back')
  isOk(t, await post('/admin/app/huawei/remove', { appId }), 'everything goes')
  t.same(await detail(), { huawei: false })
  isOk(t, await post(UPDATE, account()), 'it comes alone')
  isOk(t, await post(REMOVE, { appId }), 'and leaves nothing')
  t.same(await detail(), { huawei: false })
})

t.test('C-74 the older paths keep their texts', async (t) => {
  const steps: [path: string, object: unknown, text: string][] = [
    ['android/update', null, 'Request object must not be empty'],
    ['android/update', {}, 'App ID must not be null.'],
    ['android/update', { appId: 'nowhere' }, 'Project ID must not be empty.'],
    ['android/update', { appId: 'nowhere', projectId: '' }, 'Project ID must not be empty.'],
    ['android/update', { appId: 'nowhere', projectId: 'p' }, 'Private key must not be empty.'],
    ['android/update', { appId: 'nowhere', projectId: 'p', privateKeyBase64: '' }, 'Private key must not be empty.'],
    ['android/update', { appId: 'nowhere', projectId: 'p', privateKeyBase64: '!' }, unknownText('nowhere')],
    ['android/remove', null, 'Request object must not be empty'],
    ['android/remove', {}, 'App ID must not be null.'],
    ['android/remove', { appId: 'nowhere' }, unknownText('nowhere')],
    ['huawei/remove', { appId: 'nowhere' }, unknownText('nowhere')],
  ]
  await changesNothing(t, async () => {
    for (const [path, object, text] of steps) refusedWith(t, await post(`/admin/app/${path}`, object), text, path)
    violates(t, await post('/admin/app/huawei/remove', null), ['requestObject', /^must not be null$/])
    violates(t, await post('/admin/app/huawei/remove', {}), ['requestObject.appId', /^must not be blank$/])
  })
})

t.test('POST /admin/app/{platform}/resume: every pause ends, under each name; refusals change nothing', async (t) => {
  const appId = await makeApplication()
  const pausesOf = (id: string) =>
    database.query<{ platform: string; lanes: string }>(
      `SELECT platform, lanes FROM provider_pauses p JOIN applications a ON a.id = p.application_id
       WHERE app_id = $1 ORDER BY platform, lanes`,
      [id],
    )
  const pauseAll = () =>
    database.query(
      `INSERT INTO provider_pauses (application_id, platform, lanes, reason, next_probe_at)
       SELECT id, platform, lanes, 'Forbidden', now() FROM applications,
         unnest('{ios,android,huawei}'::text[]) platform, unnest('{all,campaign}'::text[]) lanes
       WHERE app_id = $1 ON CONFLICT DO NOTHING`,
      [appId],
    )
  for (const { platform, provider } of PROVIDERS)
    for (const name of [platform, provider]) {
      await pauseAll()
      isOk(t, await post(`/admin/app/${name}/resume`, { appId }), name)
      t.same(
        new Set((await pausesOf(appId)).map((pause) => pause.platform)).has(platform),
        false,
        `${name}: no pause is left`,
      )
      t.equal((await pausesOf(appId)).length, 4, 'those of the other platforms are')
      isOk(t, await post(`/admin/app/${name}/resume`, { appId }), `${name}: nothing to end is no error`)
    }
  await pauseAll()
  await changesNothing(t, async () => {
    for (const { platform } of PROVIDERS) {
      const resume = (object: unknown) => post(`/admin/app/${platform}/resume`, object)
      refusedWith(t, await resume(null), 'Request must not be null.')
      refusedWith(t, await resume({}), 'App ID must not be null.')
      refusedWith(t, await resume({ appId: 'nowhere' }), unknownText('nowhere'))
      violates(t, await resume({ appId: '' }), ['requestObject.appId', /^must not be blank$/])
    }
  })
  t.equal((await pausesOf(appId)).length, 6, 'refused: every pause is still there')
})

t.test('C-75 the environment is optional on both paths, in any case', async (t) => {
  const appId = await makeApplication()
  for (const path of ['/admin/app/apns', '/admin/app/ios/update'])
    for (const [given, kept] of [
      [{ environment: 'Development' }, 'development'],
      [{ environment: null }, undefined],
      [{ environment: 'PRODUCTION' }, 'production'],
      [{}, undefined],
    ] as const) {
      isOk(t, await post(path, { appId, ...credentials(given) }), `${path} ${JSON.stringify(given)}`)
      const { body } = await post('/admin/app/detail', { appId, includeIos: true })
      t.same([body.responseObject.iosEnvironment, body.responseObject.apnsEnvironment], [kept, kept])
    }
  const response = await post('/admin/app/apns', { appId, ...credentials({ environment: 'staging' }) })
  violates(t, response, ['requestObject.environment', /one of development, production/])
})

t.test('C-76 the list has every application with the flags of both families', async (t) => {
  const appId = await makeApplication()
  for (const { provider, request } of PROVIDERS) await post(`/admin/app/${provider}`, { appId, ...request() })
  const { body } = await get('/admin/app/list')
  const { applicationList } = body.responseObject
  t.same(
    applicationList.find((application: { appId: string }) => application.appId === appId),
    { appId, ...flagsWith(...FLAGS) },
  )
})

t.test('C-80 new credentials are what the next send goes with', async (t) => {
  const running = await openTestStack({ services: ['gateway', 'apns'] })
  t.teardown(() => running.close())
  await running.configure()
  const token = newToken()
  await running.register({ userId: 'user', token })
  const topics = async () => {
    await running.api.post('/push/message/send', { appId: APP, message: { userId: 'user', body: { title: 'Hello' } } })
    return running.simulator.pushes.map(({ headers }) => headers['apns-topic'])
  }
  t.same(await topics(), ['com.example.app'])
  await running.api.post('/admin/app/apns', { appId: APP, ...credentials({ bundle: 'com.example.renamed' }) })
  t.same(await topics(), ['com.example.app', 'com.example.renamed'])
  await running.api.call('DELETE', `/admin/app/apns?appId=${APP}`)
  const { body } = await running.api.post('/push/message/send', {
    appId: APP,
    message: { userId: 'user', body: { title: 'Hello' } },
  })
  t.match(body.responseObject.result.ios, { sent: 0, failed: 1, total: 1 }, 'and without any it fails')
})

const REMOVE = '/admin/app/remove'

/** An application with one of everything, and a message that another application shows, too. */
async function furnish(users: number) {
  const appId = await makeApplication()
  const other = await makeApplication()
  await post('/admin/app/apns', { appId, ...credentials() })
  const userIds = Array.from({ length: users }, (_, index) => `${appId}-${index}`)
  for (const userId of userIds) {
    await stack.register({ appId, userId, token: newToken(), activationId: randomUUID() })
    await post('/push/message/send', { appId, mode: 'ASYNCHRONOUS', message: { userId, body: { title: 'Hello' } } })
  }
  const inbox = { userId: appId, type: 'text', subject: 's', summary: 's', body: 'b' }
  await post('/inbox/messages', { ...inbox, applications: [appId] })
  await post('/inbox/messages', { ...inbox, applications: [appId, other] })
  const [run] = await database.query<{ id: string }>(
    `WITH campaign AS (
       INSERT INTO campaigns (application_id, message) SELECT id, '{}' FROM applications WHERE app_id = $1 RETURNING id),
     people AS (INSERT INTO campaign_users (campaign_id, user_id) SELECT id, 'someone' FROM campaign)
     INSERT INTO runs (campaign_id, state) SELECT id, 'sent' FROM campaign RETURNING id`,
    [appId],
  )
  return { appId, other, runId: run?.id }
}

t.test('POST /admin/app/remove: refusals change nothing', async (t) => {
  const { appId, runId } = await furnish(1)
  await changesNothing(t, async () => {
    refusedWith(t, await post(REMOVE, null), 'Request object must not be empty')
    refusedWith(t, await post(REMOVE, {}), 'App ID must not be null.')
    refusedWith(t, await post(REMOVE, { appId: 'nowhere' }), unknownText('nowhere'))
    violates(t, await post(REMOVE, { appId: 'x'.repeat(256) }), ['requestObject.appId', /at most 255/])
    for (const state of ['scheduled', 'fanning-out', 'sending']) {
      await database.query('UPDATE runs SET state = $2 WHERE id = $1', [runId, state])
      const { status, body } = await post(REMOVE, { appId })
      t.match(
        [status, body.responseObject],
        [
          400,
          { code: 'ERROR_GENERIC', message: /^Application cannot be removed while its campaign \d+ is being sent/ },
        ],
        state,
      )
    }
  })
  isOk(t, await post('/admin/app/detail', { appId }), 'still there')
})

t.test('POST /admin/app/remove: gone at once, cleared in the background, others untouched', async (t) => {
  const { appId, other } = await furnish(3)
  const neighbour = await furnish(1)
  const response = await post(REMOVE, { appId })
  t.same(response.body, { status: 'OK', responseObject: { appId, pending: 3 } }, 'what was pending is accounted for')
  refusedWith(t, await post('/admin/app/detail', { appId }), unknownText(appId))
  refusedWith(t, await post(REMOVE, { appId }), unknownText(appId))
  refusedWith(
    t,
    await post('/push/message/send', { appId, message: { userId: 'u', body: {} } }),
    `AppCredentials not found: ${appId}`,
  )
  const { body } = await get('/admin/app/list')
  const listed = body.responseObject.applicationList.map((application: { appId: string }) => application.appId)
  t.notOk(listed.includes(appId) || listed.includes(null), 'not listed any more')
  const [campaign] = await database.query<{ id: number }>(
    'SELECT c.id FROM campaigns c JOIN applications a ON a.id = c.application_id WHERE app_id IS NULL',
  )
  const campaigns: { id: string }[] = (await get('/push/campaign/list')).body.responseObject
  t.notOk(
    campaigns.some(({ id }) => id === String(campaign?.id)),
    'nor are its campaigns',
  )
  const noCampaign = 'Campaign with entered ID does not exist'
  refusedWith(t, await get(`/push/campaign/${campaign?.id}/detail`), noCampaign)
  refusedWith(t, await post(`/push/campaign/${campaign?.id}/user/add`, ['late']), noCampaign)
  isOk(t, await post('/admin/app/create', { appId }), 'its name is free')

  const stop = await stack.start('scheduler')
  const leftOf = async (what: string) => {
    const [row] = await database.query<Record<string, number>>(
      `WITH gone AS (SELECT id FROM applications WHERE ${what})
       SELECT (SELECT count(*)::int FROM devices WHERE application_id IN (SELECT id FROM gone)) AS devices,
         (SELECT count(*)::int FROM messages WHERE application_id IN (SELECT id FROM gone)) AS messages,
         (SELECT count(*)::int FROM chunks WHERE application_id IN (SELECT id FROM gone)) AS chunks,
         (SELECT count(*)::int FROM credentials WHERE application_id IN (SELECT id FROM gone)) AS credentials,
         (SELECT count(*)::int FROM campaigns WHERE application_id IN (SELECT id FROM gone)) AS campaigns,
         (SELECT count(*)::int FROM inbox_message_applications WHERE application_id IN (SELECT id FROM gone)) AS inbox`,
    )
    return row
  }
  await waitFor('the removed application to be cleared', async () => {
    const [row] = await database.query('SELECT 1 FROM applications WHERE app_id IS NULL AND cleared_at IS NOT NULL')
    return row !== undefined
  })
  await stop()
  t.same(await leftOf('app_id IS NULL'), { devices: 0, messages: 0, chunks: 0, credentials: 0, campaigns: 0, inbox: 0 })
  t.same(
    await leftOf(`app_id = '${neighbour.appId}'`),
    { devices: 1, messages: 1, chunks: 1, credentials: 1, campaigns: 1, inbox: 2 },
    'the neighbour has everything',
  )
  t.same(
    await database.query(`SELECT 1 FROM deliveries d LEFT JOIN messages m ON m.id = d.message_id WHERE m.id IS NULL`),
    [],
  )
  const shown = await get(`/inbox/messages/list?userId=${appId}&applications=${other}`)
  t.equal(shown.body.responseObject.length, 1, 'what another application shows, too, stays')
  const { id } = shown.body.responseObject[0]
  const detail = await get(`/inbox/messages/detail?id=${id}`)
  t.same(detail.body.responseObject.applications, [other])
})

t.test(
  'POST /admin/app/remove: a waiting caller gets a response at once, and nothing is attempted again',
  async (t) => {
    // No worker delivers to Android here.
    const running = await openTestStack({ services: ['gateway', 'apns'], environment: { SYNC_TIMEOUT: '10m' } })
    t.teardown(() => running.close())
    const isOpen = async (platform: Platform) => {
      const sql = 'SELECT 1 FROM chunks WHERE platform = $1 AND settled_at IS NULL'
      return (await running.database.query(sql, [platform])).length > 0
    }
    const sendOn = async (platform: Platform, token: string) => {
      await running.configure(platform, [platform])
      await running.register({ appId: platform, userId: 'user', token, platform })
      const toUser = { appId: platform, message: { userId: 'user', body: { title: 'Hello' } } }
      return (await running.api.post('/push/message/send', toUser)).body.responseObject.result[platform]
    }
    const pending = { sent: 0, pending: 1, failed: 0, total: 1 }
    const remove = async (appId: string) => (await running.api.post(REMOVE, { appId })).body.responseObject
    const parked = newToken()
    running.simulator.respondTo(parked, { status: 503, reason: 'ServiceUnavailable', retryAfter: 3600 })
    t.same(await sendOn('ios', parked), pending, 'it waits for another attempt')
    t.same(await remove('ios'), { appId: 'ios', pending: 1 })

    const start = performance.now()
    const response = sendOn('android', newToken())
    await waitFor('the message to be stored', () => isOpen('android'))
    t.same(await remove('android'), { appId: 'android', pending: 1 })
    t.same(await response, pending)
    t.ok(performance.now() - start < 300_000, 'long before the time is up')

    await running.start('scheduler')
    await waitFor('the open chunks to be gone', async () => !(await isOpen('ios')) && !(await isOpen('android')))
    t.same(running.simulator.pushes, [], 'nothing arrived')
  },
)

t.test('clearing goes in bounded steps', async (t) => {
  const { appId } = await furnish(3)
  await post(REMOVE, { appId })
  const { applicationRemovals } = stack.context.store
  const steps = []
  for (let step = await applicationRemovals.clear(2); step; step = await applicationRemovals.clear(2))
    steps.push(step.isCleared)
  t.same(steps, [false, true])
})

t.test('GET /: what is running here', async (t) => {
  const response = await call('GET', '/')
  t.equal(response.status, 200)
  t.equal(response.headers.get('content-type'), 'text/html; charset=utf-8')
  t.match(response.headers.get('content-security-policy'), /^default-src 'none'; style-src 'sha256-[\w+/]+=*'; /)
  t.match(response.body, /<h1>Push Server<\/h1>\n<p>PowerAuth Push Server, version \d+\.\d+\.\d+/)
  t.match(response.body, /:root \{ color-scheme: light dark \}/, 'dark where the reader has it dark')
  const links = [...(response.body as string).matchAll(/href="([^"]+)"/g)].map(([, path]) => path)
  for (const path of [
    'swagger-ui.html',
    'v3/api-docs',
    'admin/queues',
    'push/service/status',
    'health/ready',
    'metrics',
  ])
    t.ok(links.includes(path), `a link to ${path}`)
  const { body: description } = await call('GET', '/v3/api-docs')
  t.match(description.info.title, /^Push Server/, 'one name everywhere')
  t.notMatch(response.body, /https?:|src=|<script/, 'it loads nothing')
  for (const [, path = ''] of (response.body as string).matchAll(/href="([^"]+)"/g))
    t.equal((await call('GET', `/${path}`)).status, 200, path)
  t.same([(await call('HEAD', '/')).status, (await call('OPTIONS', '/')).status], [200, 200])
})

t.test('the time of the build: that of the image, else of the commit, else of the newest file', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'push-build-'))
  t.teardown(() => rm(dir, { recursive: true }))
  const root = pathToFileURL(`${dir}/`)
  const write = async (path: string, text: string, time = '2026-02-08T10:00:00Z') => {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), text)
    await utimes(join(dir, path), new Date(time), new Date(time))
  }
  const git = (...args: string[]) => {
    const who = ['-c', 'user.name=Somebody', '-c', 'user.email=somebody@example.com']
    const date = '2026-02-08T12:30:00+01:00'
    const env = { ...process.env, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date }
    return promisify(execFile)('git', [...who, ...args], { cwd: dir, env })
  }
  await write('packages/one/package.json', '{}')
  await write('services/two/src/deep/main.ts', '', '2026-02-08T11:00:00Z')
  await write('services/two/node_modules/other/package.json', '{}', '2026-02-09T00:00:00Z')
  t.match(await readBuild(root), { version: /^\d+\.\d+\.\d+/, buildTime: '2026-02-08T11:00:00.000+00:00' })
  await git('init', '--quiet')
  t.match(await readBuild(root), { buildTime: '2026-02-08T11:00:00.000+00:00' }, 'without a commit')
  await git('add', '.')
  await git('commit', '--quiet', '--message', 'first')
  t.match(await readBuild(root), { buildTime: '2026-02-08T11:30:00.000+00:00' })
  await write('vendor/push/packages/one/package.json', '{}', '2026-02-08T09:00:00Z')
  const inside = await readBuild(pathToFileURL(`${dir}/vendor/push/`))
  t.match(inside, { buildTime: '2026-02-08T09:00:00.000+00:00' }, 'the repository of somebody else')
  await write('build-time', '2026-02-08T12:00:00Z\n')
  t.match(await readBuild(root), { buildTime: '2026-02-08T12:00:00.000+00:00' })
  await write('build-time', 'yesterday\n')
  await t.rejects(readBuild(root), /build-time does not hold an ISO 8601 time/)
  const { body } = await get('/push/service/status')
  const built = Date.parse(body.responseObject.buildTime)
  t.ok(built > Date.UTC(2026) && built <= Date.now(), `built ${body.responseObject.buildTime}`)
})

const HEALTH = '/actuator/health'

t.test('health below /actuator, for monitors of the reference server', async (t) => {
  const seen = async () => {
    const found = []
    for (const path of ['', '/liveness', '/readiness']) {
      const { status, body } = await get(HEALTH + path)
      found.push([status, body.status])
      t.equal('components' in body, path !== '/liveness', 'details while no key is required')
    }
    return found
  }
  const up = [200, 'UP']
  t.same(await seen(), [up, up, up])
  let isBroken = true
  stack.context.health.add({
    name: 'broken',
    essential: true,
    check: async () => {
      if (isBroken) throw new Error('broken on purpose')
    },
  })
  t.same(await seen(), [[503, 'DOWN'], up, [503, 'OUT_OF_SERVICE']])
  const { components } = (await get(HEALTH)).body
  t.same(components.broken, { status: 'DOWN', details: { error: 'broken on purpose' } })
  isBroken = false
  t.same(await seen(), [up, up, up])
})

t.test('the rest below /actuator: metrics under their name there, the build, and nothing else', async (t) => {
  const [own, theirs] = [await get('/metrics'), await get('/actuator/prometheus')]
  t.equal(theirs.headers.get('content-type'), own.headers.get('content-type'))
  const namesOf = ({ body }: Response) => [...String(body).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)
  t.ok(namesOf(own).length > 20)
  t.same(namesOf(theirs), namesOf(own))
  const { version } = (await get('/push/service/status')).body.responseObject
  t.match((await get('/actuator/info')).body, { build: { version } })
  for (const path of ['/actuator', '/actuator/metrics', '/actuator/metrics/jvm.memory.used', '/actuator/env'])
    t.equal((await get(path)).status, 404, path)
})

t.test('no response disclosed anything internal, and each had an id', async (t) => {
  t.same(api.leaks, [])
})

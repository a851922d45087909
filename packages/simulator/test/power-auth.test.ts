// The fake of PowerAuth Server seen by a push server, and its control calls.
import t, { type Test } from 'tap'
import { startSimulator } from '../src/index.ts'
import { post } from './_senders.ts'

const STATUS = '/v3/activation/status'
const APPLICATIONS = '/v3/application/list'

async function start(t: Test) {
  const simulator = await startSimulator()
  t.teardown(simulator.stop)
  const { url, ca } = simulator.powerAuth
  const ask = (path: string, requestObject: unknown, headers: Record<string, string> = {}) =>
    post(url + path, ca, {
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ requestObject }),
    })
  const control = (path: string, method: string, body?: object) =>
    fetch(`${simulator.url}/control/power-auth/${path}`, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
  return { simulator, powerAuth: simulator.powerAuth, ask, control }
}

t.test('activations: known ones, and unknown ones as removed', async (t) => {
  const { powerAuth, ask } = await start(t)
  powerAuth.addActivation({ activationId: 'a', userId: 'user-1' })
  powerAuth.addActivation({ activationId: 'b', userId: 'user-2', applicationId: 'other', status: 'BLOCKED' })
  t.match(await ask(STATUS, { activationId: 'a' }), {
    status: 200,
    body: {
      status: 'OK',
      responseObject: { activationId: 'a', activationStatus: 'ACTIVE', userId: 'user-1', applicationId: 'mobile-app' },
    },
  })
  t.match((await ask(STATUS, { activationId: 'b' })).body, {
    responseObject: { activationStatus: 'BLOCKED', userId: 'user-2', applicationId: 'other' },
  })
  t.match((await ask(STATUS, { activationId: 'c' })).body, {
    status: 'OK',
    responseObject: { activationStatus: 'REMOVED', userId: 'unknown', applicationId: null, version: 0 },
  })
  powerAuth.addActivation({ activationId: 'a', userId: 'user-1', status: 'REMOVED' })
  t.match((await ask(STATUS, { activationId: 'a' })).body, { responseObject: { activationStatus: 'REMOVED' } })
  t.match((await ask(APPLICATIONS, {})).body, {
    responseObject: { applications: [{ applicationId: 'mobile-app' }, { applicationId: 'other' }] },
  })
  t.match(await ask(STATUS, {}), { status: 400, body: { status: 'ERROR', responseObject: { code: String } } })
  t.match(await ask('/v3/nothing', {}), { status: 404 })
})

t.test('versions: both at first, and what each of them has', async (t) => {
  const { powerAuth, ask, control } = await start(t)
  powerAuth.addActivation({ activationId: 'a', userId: 'user-1' })
  const status = async (version: string, more: object = {}) =>
    (await ask(`/${version}/activation/status`, { activationId: 'a', ...more })).body
  t.match(await status('v3'), { responseObject: { userId: 'user-1', encryptedStatusBlob: String } })
  t.match(await status('v4'), { responseObject: { userId: 'user-1', confirmationPending: false, statusBlob: String } })
  t.match(await status('v4', { includeStatusBlob: false }), { responseObject: { statusBlob: null } })
  t.match((await ask('/v4/application/list', {})).body, {
    responseObject: { applications: [{ applicationId: 'mobile-app' }] },
  })
  powerAuth.serve(['v3'])
  t.match(await ask('/v4/application/list', {}), { status: 404, body: { status: 404, error: 'Not Found' } })
  t.equal((await ask(APPLICATIONS, {})).status, 200)
  t.equal((await control('versions', 'POST', { versions: ['v4'] })).status, 204)
  t.match(await ask(APPLICATIONS, {}), {
    status: 404,
    body: { status: 'ERROR', responseObject: { code: 'ERROR_NOT_FOUND' } },
  })
  t.equal((await ask('/v4/application/list', {})).status, 200)
  for (const body of [{}, { versions: 'v3' }, { versions: ['v5'] }, { versions: ['v3', 'v3'] }])
    t.equal((await control('versions', 'POST', body)).status, 400, JSON.stringify(body))
})

t.test('restricted access: only the client’s own name and secret', async (t) => {
  const { powerAuth, ask } = await start(t)
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })
  t.equal((await ask(APPLICATIONS, null, basic(':'))).status, 200, 'everybody, as long as it is not restricted')
  powerAuth.restrict({ clientToken: 'push', clientSecret: 'word' })
  for (const headers of [{}, basic(':'), basic('push:other')])
    t.match(await ask(APPLICATIONS, null, headers), {
      status: 401,
      body: { responseObject: { code: 'ERR_AUTHENTICATION', message: 'Authentication failed' } },
    })
  t.equal((await ask(APPLICATIONS, null, basic('push:word'))).status, 200)
  t.equal(powerAuth.requests.length, 5, 'each request is kept')
})

t.test('it misbehaves as scripted, so often', async (t) => {
  const { simulator, powerAuth, ask } = await start(t)
  powerAuth.behave({ status: 503, code: 'ERR0042', message: 'Down', times: 2 })
  for (const time of [1, 2])
    t.match(await ask(APPLICATIONS, {}), { status: 503, body: { responseObject: { code: 'ERR0042' } } }, `time ${time}`)
  t.equal((await ask(APPLICATIONS, {})).status, 200)
  powerAuth.behave({ failure: 'drop' })
  t.equal((await ask(APPLICATIONS, {})).status, 0)
  powerAuth.behave({ text: '{"malformed":true}' })
  t.match(await ask(APPLICATIONS, {}), { status: 200, body: { malformed: true } })
  powerAuth.behave(undefined)
  simulator.setLatency(60)
  const before = performance.now()
  await ask(APPLICATIONS, {})
  t.ok(performance.now() - before >= 59, 'slow')
})

t.test('everything over HTTP', async (t) => {
  const { ask, control } = await start(t)
  const done = async (response: Promise<Response>) => t.equal((await response).status, 204)
  await done(control('applications', 'POST', { applicationId: 'bank' }))
  await done(control('activations', 'POST', { activationId: 'a', userId: 'user-1', status: 'BLOCKED' }))
  t.match((await ask(STATUS, { activationId: 'a' })).body, {
    responseObject: { activationStatus: 'BLOCKED', applicationId: 'bank' },
  })
  await done(control('behaviour', 'POST', { failure: 'drop' }))
  t.equal((await ask(APPLICATIONS, {})).status, 0)
  await done(control('behaviour', 'DELETE'))
  await done(control('client', 'POST', { clientToken: 'push', clientSecret: 'word' }))
  t.equal((await ask(APPLICATIONS, {})).status, 401)
  await done(control('client', 'DELETE'))
  t.equal((await ask(APPLICATIONS, {}, { 'x-correlation-id': 'the-id-of-a-request' })).status, 200)
  const requests = (await (await control('requests', 'GET')).json()) as unknown[]
  t.match(requests.at(-1), { path: '/rest/v3/application/list', correlationId: 'the-id-of-a-request' })
  t.equal(requests.length, 4)
  for (const [path, body] of [
    ['activations', { activationId: 'a' }],
    ['activations', { activationId: 'a', userId: 'u', status: 'active' }],
    ['behaviour', {}],
    ['behaviour', { status: 503, failure: 'drop' }],
    ['behaviour', { failure: 'goaway' }],
    ['client', { clientToken: 'push' }],
    ['applications', { appId: 'bank' }],
  ] as const)
    t.equal((await control(path, 'POST', body)).status, 400, `${path} ${JSON.stringify(body)}`)
})

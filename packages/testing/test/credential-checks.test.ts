// Stored credentials are tried at their provider by a worker, and no phone hears of it.
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import t from 'tap'
import { PLATFORMS, PROVIDER_NAMES, type Platform } from '@push-server/contract'
import { APP, openTestStack, type TestStack } from '@push-server/testing'

t.setTimeout(1_800_000)
// Most of the time two of them wait.
t.jobs = 2
/** One object for each test: tap keeps its state in it. */
const beside = () => ({ buffered: true })

const check = (stack: TestStack, name: string, appId = APP) => stack.api.post(`/admin/app/${name}/check`, { appId })
const checked = async (stack: TestStack, platform: Platform, appId = APP) =>
  (await check(stack, platform, appId)).body.responseObject

/** How each fake comes to know accounts, and so to refuse all others. */
function refuseOthers({ simulator }: TestStack): void {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  simulator.addApnsKey({
    keyId: 'ANOTHERKEY',
    teamId: 'TEAMID1234',
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  })
  const { publicKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  simulator.addFcmAccount({
    clientEmail: 'other@example.com',
    publicKeyPem: rsa.export({ type: 'spki', format: 'pem' }).toString(),
    projectId: 'other',
  })
  simulator.addHmsAccount({ clientId: '999', clientSecret: 'other', projectId: 'other' })
}

t.test(
  'good credentials are accepted, under both names of the platform; nothing reaches a phone',
  beside(),
  async (t) => {
    const stack = await openTestStack()
    t.teardown(() => stack.close())
    await stack.configure(APP, PLATFORMS)
    for (const platform of PLATFORMS)
      for (const name of [platform, PROVIDER_NAMES[platform]]) {
        const { status, body } = await check(stack, name)
        t.match({ status, body }, { status: 200, body: { status: 'OK', responseObject: { accepted: true } } }, name)
        const { ms, tried, reason } = body.responseObject
        t.equal(reason, undefined)
        t.ok(Number.isInteger(ms) && ms >= 0 && ms < 8_000, `${ms} ms`)
        t.match(
          tried,
          platform === 'ios' ? /a token that no device has/ : /new access token, and a push that is only validated/,
        )
      }
    t.same([stack.simulator.pushes, stack.simulator.phones], [[], []], 'no phone has come')
  },
)

t.test('credentials that the provider refuses, also while a token of theirs is still good', beside(), async (t) => {
  const stack = await openTestStack()
  t.teardown(() => stack.close())
  await stack.configure(APP, PLATFORMS)
  for (const platform of PLATFORMS)
    await stack.register({ userId: 'u', platform, token: `${randomUUID()}${randomUUID()}`.replaceAll('-', '') })
  const sent = await stack.api.post('/push/message/send', {
    appId: APP,
    message: { userId: 'u', body: { title: 'T' } },
  })
  t.match(sent.body.responseObject.result, { android: { sent: 1 }, huawei: { sent: 1 } }, 'workers have access tokens')
  refuseOthers(stack)
  for (const platform of PLATFORMS) {
    const { accepted, reason } = await checked(stack, platform)
    t.equal(accepted, false, platform)
    t.match(reason, platform === 'ios' ? /^InvalidProviderToken$/ : /\w+/, platform)
  }
  const detail = await stack.api.post('/admin/app/detail', { appId: APP })
  t.equal(detail.body.responseObject.paused, undefined, 'a check pauses nothing')
})

t.test('a provider that does not respond', beside(), async (t) => {
  const stack = await openTestStack({ services: ['gateway', 'apns'] })
  t.teardown(() => stack.close())
  await stack.configure()
  stack.simulator.respondTo('faded400', { failure: 'silence' })
  t.match(await checked(stack, 'ios'), { accepted: false, reason: /^Timeout: no response within 7 s$/ })
})

t.test('no worker of the platform: 503, and nobody makes the check later', beside(), async (t) => {
  const stack = await openTestStack({ services: ['gateway'] })
  t.teardown(() => stack.close())
  await stack.configure()
  const [{ status, headers, body }] = await Promise.all([check(stack, 'ios'), check(stack, 'apns')])
  t.match(
    { status, body },
    { status: 503, body: { responseObject: { code: 'ERROR_UNAVAILABLE', message: /^No worker of ios / } } },
  )
  t.equal(headers.get('retry-after'), '10')
  const rows = () => stack.database.query('SELECT 1 FROM credential_checks')
  t.equal((await rows()).length, 1, 'of two at once there is one')
  await stack.start('apns')
  t.match(await checked(stack, 'ios'), { accepted: true }, 'with a worker')
  t.match(stack.simulator.stats().ios, { received: 0, refused: 1 }, 'what nobody waits for is not made')
})

t.test('what there is nothing to check of', beside(), async (t) => {
  const stack = await openTestStack({ services: ['gateway'] })
  t.teardown(() => stack.close())
  await stack.configure()
  const messageOf = async (name: string, appId: string) => {
    const { status, body } = await check(stack, name, appId)
    return [status, body.responseObject.message]
  }
  t.same(await messageOf('ios', 'nowhere'), [400, 'Application credentials with entered ID: nowhere does not exist'])
  t.same(await messageOf('fcm', APP), [400, `Application ${APP} has no credentials for android`])
  t.match(await stack.api.post('/admin/app/ios/check', {}), {
    status: 400,
    body: { responseObject: { message: 'App ID must not be null.' } },
  })
})

// The released Java clients of the reference server call every method that they have, lenient and strict, in the form of their version.
// Where Java, Maven or the clients themselves cannot be had, this is left out and says so.
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import {
  APNS_SETTINGS,
  generateApnsKey,
  generateServiceAccount,
  makeApiKey,
  openTestStack,
  waitFor,
  type TestStack,
} from '@push-server/testing'
import { APP, base64, newToken } from './_gateway.ts'
import {
  fetchRelease,
  startReferenceClient,
  type ClientCall,
  type Outcome,
  type ReferenceClient,
  type Release,
} from './java/_reference-client.ts'

interface Version extends Release {
  form: '1.9' | '1.10'
  clients: readonly ClientCall['client'][]
}

/** Version 1.7 has no strict reader. */
const VERSIONS: readonly Version[] = [
  { client: '1.7.0', boot: '3.2.3', form: '1.9', clients: ['plain'] },
  { client: '1.9.0', boot: '3.3.4', form: '1.9', clients: ['plain', 'strict'] },
  { client: '1.10.0', boot: '3.4.6', form: '1.10', clients: ['plain', 'strict'] },
]
const NAMES = { '1.9': ['ios', 'android', 'huawei'], '1.10': ['apns', 'fcm', 'hms'] } as const
const SETTINGS = {
  '1.9': { iosBundle: APNS_SETTINGS.bundle, iosEnvironment: 'production' },
  '1.10': { apnsBundle: APNS_SETTINGS.bundle, apnsEnvironment: 'production' },
} as const
const INCLUDES = { '1.9': 'includeIos', '1.10': 'includeApns' } as const

const OK = { status: 'OK' }
const UNKNOWN_CAMPAIGN = 'Campaign with entered ID does not exist'
const BODY = {
  title: 'Hello',
  titleLocArgs: ['a'],
  badge: 3,
  validUntil: '2099-01-01T00:00:00.500Z',
  extras: { text: 'x', list: [1, 2] },
}

/** Calls a method, by its name and types. */
type Act = (method: string, ...values: unknown[]) => Promise<Outcome>

interface Run {
  t: Test
  act: Act
  stack: TestStack
  form: Version['form']
  /** Whether the client has a method of later versions. */
  has(method: string): boolean
}

async function openStack(t: Test): Promise<TestStack> {
  const stack = await openTestStack({
    powerAuth: true,
    environment: { ROOT_COMPATIBILITY: '1.9', SYNC_TIMEOUT: '20s' },
  })
  t.teardown(() => stack.close())
  await stack.configure(APP, ['ios', 'android', 'huawei'])
  for (const name of [APP, 'unconfigured']) stack.simulator.powerAuth.addApplication(name)
  return stack
}

for (const version of VERSIONS) {
  const found = await fetchRelease(version)
  const skip = 'missing' in found && found.missing
  t.test(`client ${version.client}`, { skip }, async (t) => {
    if ('missing' in found) return
    const stack = await openStack(t)
    const program = await startReferenceClient(found.jars)
    t.teardown(program.end)
    const url = stack.api.url + (version.form === '1.9' ? '' : '/powerauth-push-server')
    for (const client of version.clients)
      await t.test(`${client}: every method`, (t) => callEveryMethod(t, { program, stack, version, client, url }))
    await t.test('errors as the client reads them', (t) => readErrors(t, { program, stack, version, url }))
  })
}

interface Setup {
  program: ReferenceClient
  stack: TestStack
  version: Version
  client?: ClientCall['client']
  url: string
}

async function callEveryMethod(t: Test, { program, stack, version, client = 'plain', url }: Setup): Promise<void> {
  const called = new Set<string>()
  const act: Act = (method, ...values) => {
    called.add(method)
    return program.call({ method, arguments: values, client, url })
  }
  const has = (method: string) => program.methods.includes(method)
  const run: Run = { t, act, stack, form: version.form, has }
  const { value } = await act('getServiceStatus()')
  t.match(value, { ...OK, responseObject: { applicationName: 'powerauth-push', version: /^\d/, timestamp: /^20/ } })
  await administer(run)
  await registerDevices(run)
  await sendMessages(run)
  await runCampaign(run)
  await useInbox(run)
  t.same([...called].toSorted(), program.methods.toSorted(), 'every method was called')
}

async function administer({ t, act, form, has }: Run): Promise<void> {
  const appId = `java-${randomUUID()}`
  const [ios, android, huawei] = NAMES[form]
  t.match(await act('createApplication(String)', appId), { value: { ...OK, responseObject: { appId } } })
  const key = generateApnsKey()
  const { bundle, keyId, teamId } = APNS_SETTINGS
  const account = generateServiceAccount()
  const hms = { appId, projectId: 'HMS123', clientId: '100000001', clientSecret: 'a secret' }
  const isOk = async (method: string, ...values: unknown[]) =>
    t.match(await act(method, ...values), { value: OK }, method)
  const settings = [appId, bundle, keyId, teamId, 'production', base64(key)]
  await isOk('updateIos(String,String,String,String,ApnsEnvironment,byte[])', ...settings)
  await isOk('updateAndroid(String,String,byte[])', appId, 'test-project', base64(account))
  await isOk('updateHuawei(UpdateHuaweiRequest)', hms)
  if (has('updateApns(UpdateApnsRequest)')) {
    const apns = { appId, bundle, keyId, teamId, environment: 'production', privateKeyBase64: base64(key) }
    await isOk('updateApns(UpdateApnsRequest)', apns)
    const fcm = { appId, projectId: 'test-project', privateKeyBase64: base64(account) }
    await isOk('updateFcm(UpdateFcmRequest)', fcm)
    await isOk('updateHms(UpdateHmsRequest)', hms)
  }
  const all = { appId, [ios]: true, [android]: true, [huawei]: true }
  const listed = await act('getApplicationList()')
  t.match(
    listed.value?.responseObject.applicationList.find((each: { appId: string }) => each.appId === appId),
    all,
    'in the list',
  )
  const request = { appId, [INCLUDES[form]]: true }
  const detail = await act('getApplicationDetail(GetApplicationDetailRequest)', request)
  t.match(detail.value, { ...OK, responseObject: { application: all, ...SETTINGS[form] } })
  for (const method of ['removeIos', 'removeAndroid', 'removeHuawei']) await isOk(`${method}(String)`, appId)
  if (has('removeApns(String)'))
    // It escapes the question mark before its query: there is no such path, here and in the reference server.
    for (const method of ['removeApns', 'removeFcm', 'removeHms'])
      t.match(await act(`${method}(String)`, appId), {
        status: 404,
        error: { responseObject: { code: 'ERROR_NOT_FOUND' } },
      })
  const unconfigured = await act('getUnconfiguredApplicationList()')
  t.match(unconfigured.value?.responseObject.applicationList, [{ appId: 'unconfigured', [ios]: null }])
}

function newActivation({ simulator }: TestStack, userId: string): string {
  const activationId = randomUUID()
  simulator.powerAuth.addActivation({ activationId, userId, applicationId: APP })
  return activationId
}

async function registerDevices({ t, act, stack, form, has }: Run): Promise<void> {
  const [platform] = NAMES[form]
  const [token, activationId] = [newToken(), newActivation(stack, 'devices')]
  const isTrue = async (method: string, ...values: unknown[]) =>
    t.match(await act(method, ...values), { value: true }, method)
  t.match(
    await act('createDevice(String,String,MobilePlatform)', APP, token, platform),
    { exception: /Activation ID must not be null/ },
    'the client refuses it itself',
  )
  await isTrue('createDevice(String,String,MobilePlatform,String)', APP, token, platform, activationId)
  const both = [activationId, newActivation(stack, 'devices')]
  await isTrue('createDeviceForActivations(String,String,MobilePlatform,List)', APP, token, platform, both)
  if (has('createDevice(CreateDeviceRequest)')) {
    const device = { appId: APP, token: newToken(), platform, environment: 'production' }
    await isTrue('createDevice(CreateDeviceRequest)', { ...device, activationId: newActivation(stack, 'devices') })
    const activationIds = [newActivation(stack, 'devices')]
    await isTrue('createDeviceForActivations(CreateDeviceForActivationsRequest)', {
      ...device,
      activationIds,
      token: newToken(),
    })
  }
  await isTrue('updateDeviceStatus(String)', activationId)
  await isTrue('deleteDevice(String,String)', APP, token)
}

async function sendMessages({ t, act, stack, form }: Run): Promise<void> {
  const userId = randomUUID()
  const token = newToken()
  const device = { appId: APP, platform: 'ios', token, activationId: newActivation(stack, userId) }
  t.equal((await stack.api.post('/push/device/create', device)).status, 200)
  const message = { userId, priority: 'HIGH', attributes: { silent: false, personal: true }, body: BODY }
  const counts = (total: number) => ({ sent: total, failed: 0, pending: 0, total })
  const [first, second] = NAMES[form]
  const result = (total: number) => ({
    value: { ...OK, responseObject: { mode: 'SYNCHRONOUS', [first]: counts(total), [second]: counts(0) } },
  })
  const accepted = { value: { ...OK, responseObject: { mode: 'ASYNCHRONOUS' } } }
  t.match(await act('sendPushMessage(String,PushMessage)', APP, message), result(1))
  t.match(await act('sendPushMessage(String,Mode,PushMessage)', APP, 'ASYNCHRONOUS', message), accepted)
  const batch = [message, message]
  t.match(await act('sendPushMessageBatch(String,List)', APP, batch), result(2), 'the sums of a batch')
  t.match(await act('sendPushMessageBatch(String,Mode,List)', APP, 'ASYNCHRONOUS', batch), accepted)
  const [push] = stack.simulator.pushes.filter((each) => each.token === token)
  t.ok(push, 'the phone has it')
}

async function runCampaign({ t, act }: Run): Promise<void> {
  const users = [`java-${randomUUID()}`, 'somebody']
  const created = await act('createCampaign(String,PushMessageBody)', APP, BODY)
  const id = created.value?.responseObject.id
  t.type(id, 'number')
  const isTrue = async (method: string, ...values: unknown[]) =>
    t.match(await act(method, ...values), { value: true }, method)
  await isTrue('addUsersToCampaign(Long,List)', id, users)
  const listed = await act('getListOfUsersFromCampaign(Long,int,int)', id, 0, 10)
  t.match(listed.value, { page: 0, size: 10, responseObject: { campaignId: id, users: users.toSorted() } })
  await isTrue('deleteUsersFromCampaign(Long,List)', id, ['somebody'])
  const detail = await act('getCampaign(Long)', id)
  t.match(detail.value?.responseObject, { id, appId: APP, sent: false, message: BODY })
  const idsOf = async (all: boolean) => {
    const { value } = await act('getListOfCampaigns(boolean)', all)
    return value?.responseObject.map((campaign: { id: number }) => campaign.id)
  }
  t.ok((await idsOf(true)).includes(id))
  t.ok((await idsOf(false)).includes(id), 'not sent yet')
  await isTrue('sendTestCampaign(Long,String)', id, 'nobody')
  await isTrue('sendCampaign(Long)', id)
  const other = (await act('createCampaign(String,PushMessageBody)', APP, BODY)).value?.responseObject.id
  await isTrue('deleteCampaign(Long)', other)
}

async function useInbox({ t, act }: Run): Promise<void> {
  const userId = randomUUID()
  const message = { userId, type: 'text', subject: 'A subject', summary: 'A summary', body: 'A long body' }
  const posted = await act('postMessage(CreateInboxMessageRequest)', { ...message, applications: [APP] })
  const detail = { ...message, read: false, applications: [APP] }
  t.match(posted.value, { ...OK, responseObject: detail })
  const id = posted.value?.responseObject.id
  const listed = await act('fetchMessageListForUser(String,List,boolean,Integer,Integer)', userId, [APP], true, 0, 10)
  t.match(listed.value, { page: 0, size: 10, responseObject: [{ id, subject: 'A subject', read: false }] })
  const count = () => act('fetchMessageCountForUser(String,String)', userId, APP)
  t.match(await count(), { value: { responseObject: { countUnread: 1 } } })
  t.match(await act('fetchMessageDetail(String)', id), { value: { responseObject: { id, ...detail } } })
  t.match(await act('readMessage(String)', id), { value: { responseObject: { id, ...detail, read: true } } })
  t.match(await act('readAllMessages(String,String)', userId, APP), { value: OK })
  t.match(await count(), { value: { responseObject: { countUnread: 0 } } })
}

/** The client parses an error of two members; one with a list of violations it has as text alone. */
async function readErrors(t: Test, { program, stack, version, url }: Setup): Promise<void> {
  const client = version.clients.at(-1) ?? 'plain'
  const act: Act = (method, ...values) => program.call({ method, arguments: values, client, url })
  const parsed = (status: number, code: string, message: RegExp | string) => ({
    status,
    error: { responseObject: { code, message } },
  })
  t.match(await act('getCampaign(Long)', 999_999_999), parsed(400, 'ERROR_GENERIC', UNKNOWN_CAMPAIGN))
  t.match(
    await act('createApplication(String)', 'x'.repeat(300)),
    parsed(400, 'ERROR_REQUEST', /^Invalid method parameter value: requestObject\.appId /),
  )
  t.match(
    await act('fetchMessageDetail(String)', 'nowhere'),
    parsed(400, 'ERROR_MESSAGE_NOT_FOUND', 'Unable to fetch message: nowhere.'),
  )
  const blank = { appId: ' ', projectId: 'p', clientId: 'c', clientSecret: 's' }
  t.match(await act('updateHuawei(UpdateHuaweiRequest)', blank), { status: 400, error: null, body: /"violations"/ })

  const key = await makeApiKey(stack.context, { scopes: ['admin'] })
  const isRefused = async () => (await stack.api.get('/admin/app/list')).status === 401
  await waitFor('the gateway to know that there is a key', isRefused)
  t.match(await act('getApplicationList()'), parsed(401, 'ERROR_UNAUTHORIZED', /\S/), 'without a log-in')
  if (client !== 'strict') return
  const [user = '', password = ''] = key.split('.')
  const loggedIn = await program.call({ method: 'getApplicationList()', arguments: [], client, url, user, password })
  t.match(loggedIn, { value: OK }, 'HTTP Basic with the id and the secret of a key')
}

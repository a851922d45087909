// Version 3 of HMS, which reaches HarmonyOS 5 and later: payload, token of the service account, outcomes, and both versions beside each
// other against the simulator.
import { constants, createPublicKey, generateKeyPairSync, randomUUID, verify } from 'node:crypto'
import { DOCUMENTED_BODY } from '@push-server/contract'
import { createLogger, readConfig } from '@push-server/runtime'
import { startSimulator, type Simulator } from '@push-server/simulator'
import t, { type Test } from 'tap'
import { createAccountToken } from '../src/hms/account-token.ts'
import { hmsPartsOf, hmsStored, readHmsAccountFile, readHmsCredentials } from '../src/hms/credentials.ts'
import { hms } from '../src/hms/index.ts'
import { HMS_CODES, hmsOutcomes, refusesAccess, refusesAccountToken } from '../src/hms/outcome.ts'
import { withTokens } from '../src/hms/payload.ts'
import { hmsPayloadV3, NO_TEXT } from '../src/hms/payload-v3.ts'
import { readResponse } from '../src/hms/response.ts'
import {
  InvalidCredentials,
  runTrial,
  type Outcome,
  type ProviderToken,
  type PushMessage,
  type PushTarget,
  type StoredCredentials,
  type TokenCache,
} from '../src/index.ts'
import { push } from './_pushing.ts'

t.setTimeout(300_000)

const NOW = Date.UTC(2026, 0, 1)
const PROJECT = '736430079245'
const KEY = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const PRIVATE_PEM = KEY.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const PUBLIC_PEM = KEY.publicKey.export({ type: 'spki', format: 'pem' }).toString()
const FILE = { project_id: PROJECT, key_id: 'key-1', private_key: PRIVATE_PEM, sub_account: '100000002' }
const CLIENT = { clientId: '104', clientSecret: 's3cr3t' }

const message = (body: PushMessage['body'], rest: Partial<PushMessage> = {}): PushMessage => ({
  body,
  silent: false,
  priority: 'HIGH',
  ...rest,
})
const OPTIONS = { dataOnly: false, appId: 'my-app', now: NOW, category: 'FINANCE' }
function build(given: PushMessage, more: Partial<Parameters<typeof hmsPayloadV3>[1]> = {}) {
  const payload = hmsPayloadV3(given, { ...OPTIONS, ...more })
  if (payload === NO_TEXT) return NO_TEXT
  return { type: payload.pushType, ...JSON.parse(withTokens(payload, ['t1', 't2'])) }
}

t.test('the documented message becomes an alert of version 3', async (t) => {
  t.strictSame(build(message(DOCUMENTED_BODY, { id: 'm-1', validUntil: NOW + 3_600_000 })), {
    type: '0',
    payload: {
      notification: {
        category: 'FINANCE',
        title: 'Balance update',
        body: 'Your balance is now $745.00',
        clickAction: { actionType: 0, data: { _comment: 'Any custom data.' } },
        badge: { setNum: 3 },
        appMessageId: 'm-1',
        foregroundShow: true,
      },
    },
    pushOptions: { ttl: 3600 },
    target: { token: ['t1', 't2'] },
  })
})

t.test('texts: as in version 2, but keys of texts show nothing', async (t) => {
  const cases: [name: string, body: PushMessage['body'], texts: [title: string, body: string] | typeof NO_TEXT][] = [
    ['a text only', { body: 'Hello' }, ['my-app', 'Hello']],
    ['a title only', { title: 'Hello' }, ['Hello', 'Hello']],
    ['nothing', {}, ['my-app', 'my-app']],
    ['a key of the title beside a text', { titleLocKey: 'k', body: 'Hello' }, ['my-app', 'Hello']],
    ['keys alone', { titleLocKey: 'k', bodyLocKey: 'l' }, NO_TEXT],
    ['a key beside empty texts', { title: '', body: null, bodyLocKey: 'l' }, NO_TEXT],
  ]
  for (const [name, body, texts] of cases) {
    const built = build(message(body))
    const shown = built === NO_TEXT ? built : [built.payload.notification.title, built.payload.notification.body]
    t.strictSame(shown, texts, name)
  }
  t.not(build(message({ titleLocKey: 'k' }, { silent: true })), NO_TEXT, 'a silent message shows nothing anyway')
})

t.test('members of an alert, and what has no place', async (t) => {
  const notification = (body: PushMessage['body']) => build(message({ title: 'T', ...body })).payload.notification
  t.strictSame(notification({ sound: 'chime.mp3' }).sound, 'chime.mp3')
  t.notOk('sound' in notification({ sound: 'default' }), 'a word of iOS, not a file')
  t.strictSame(notification({ badge: 0 }).badge, { setNum: 0 })
  t.strictSame(notification({ badge: 100 }).badge, { setNum: 99 })
  t.strictSame(notification({ extras: { a: 1, b: null } }).clickAction, { actionType: 0, data: { a: 1 } })
  t.strictSame(notification({ extras: { b: null } }).clickAction, { actionType: 0 })
  t.strictSame(build(message({ title: 'T', collapseKey: '7' })).pushOptions, { ttl: 1_296_000, collapseKey: 7 })
  t.strictSame(build(message({ title: 'T', collapseKey: 'x' })).pushOptions, { ttl: 1_296_000 })
  t.strictSame(build(message({ title: 'T' }), { isTest: true }).pushOptions, { ttl: 1_296_000, testMessage: true })
})

t.test('what shows nothing is background data', async (t) => {
  t.strictSame(build(message({ extras: { a: 1 }, collapseKey: '7' }, { silent: true })), {
    type: '6',
    payload: { extraData: '{"a":1}' },
    pushOptions: { ttl: 1_296_000 },
    target: { token: ['t1', 't2'] },
  })
  const { type, payload } = build(message({ title: 'T', extras: { a: 1 } }), { dataOnly: true })
  t.equal(type, '6')
  const data = JSON.parse(payload.extraData)
  t.equal(data.a, 1)
  t.match(JSON.parse(data['_notification']), { title: 'T', body: 'T', category: 'FINANCE' })
})

t.test(
  'what HMS would refuse is named before it is sent, as far as the application has credentials for the version',
  async (t) => {
    const config = readConfig({})
    const check = (body: PushMessage['body'], huaweiApis: string | null) =>
      hms.check(message(body), { config, appId: 'my-app', now: NOW, huaweiApis })
    t.strictSame(check({ title: 'x', body: 'y'.repeat(3_700) }, null), [])
    for (const apis of ['3', '2, 3'])
      t.match(
        check({ title: 'x'.repeat(2_000), body: 'y'.repeat(2_000) }, apis),
        [{ field: 'body', hint: /huawei/ }],
        apis,
      )
    t.strictSame(check({ title: 'x' }, '2, 3'), [])

    const unshown = (body: PushMessage['body'], huaweiApis: string | null, silent = false) =>
      hms.unshown?.(message(body, { silent }), { huaweiApis })
    t.strictSame(unshown({ titleLocKey: 'k' }, '2, 3'), ['body.titleLocKey'])
    t.strictSame(unshown({ bodyLocKey: 'k' }, '3'), ['body.bodyLocKey'])
    t.strictSame(unshown({ titleLocKey: 'k' }, null), [], 'without an account no phone of version 3 is reached at all')
    t.strictSame(unshown({ titleLocKey: 'k', body: 'B' }, '3'), [])
    t.strictSame(unshown({ titleLocKey: 'k' }, '3', true), [])
  },
)

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }

t.test('the token of a service account', async (t) => {
  const account = { subAccount: FILE.sub_account, keyId: FILE.key_id, key: KEY.privateKey }
  const tokens = new Tokens()
  let now = NOW + 500
  const source = createAccountToken({ account, tokens, now: () => now })
  const { value, issuedAt, expiresAt } = await source.take()
  const [head = '', claims = '', signature = ''] = value.split('.')
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
  t.strictSame(read(head), { kid: 'key-1', typ: 'JWT', alg: 'PS256' })
  t.strictSame(read(claims), {
    iss: '100000002',
    aud: 'https://oauth-login.cloud.huawei.com/oauth2/v3/token',
    iat: NOW / 1_000,
    exp: NOW / 1_000 + 3_600,
  })
  t.ok(
    verify(
      'sha256',
      Buffer.from(`${head}.${claims}`),
      { key: createPublicKey(PUBLIC_PEM), ...PSS },
      Buffer.from(signature, 'base64url'),
    ),
  )
  t.strictSame([issuedAt, expiresAt], [NOW, NOW + 3_600_000])

  const other = createAccountToken({ account, tokens, now: () => now })
  now = NOW + 50 * 60_000 - 1
  t.equal((await other.take()).value, value, 'shared for 50 minutes')
  now = NOW + 50 * 60_000
  t.not((await source.take()).value, value)
  t.equal(tokens.minted, 2)
  t.equal(new Set(tokens.kept.keys()).size, 1)
  const replaced = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey
  await createAccountToken({ account: { ...account, key: replaced }, tokens, now: () => now }).take()
  t.equal(new Set(tokens.kept.keys()).size, 2, 'another key under the same id has tokens of its own')
})

t.test('codes of version 3, and which of them another token may cure', async (t) => {
  const responseOf = (status: number, code?: string) =>
    readResponse({ kind: 'response', status, headers: {}, body: JSON.stringify({ code, msg: 'text' }) })
  const cases: [status: number, code: string | undefined, kind: Outcome['kind'], renews: boolean][] = [
    [400, '80300030', 'failed', false],
    [401, '80300036', 'credentials-error', false],
    [401, '80200001', 'credentials-error', false],
    [401, '80200005', 'credentials-error', true],
    [401, undefined, 'credentials-error', true],
    [400, '80300002', 'credentials-error', false],
    [400, '80300007', 'token-doubtful', false],
    [400, '80300008', 'failed', false],
    [500, '81000001', 'retry', false],
    [503, undefined, 'retry', false],
  ]
  for (const [status, code, kind, renews] of cases) {
    const response = responseOf(status, code)
    t.equal(hmsOutcomes(response, ['t'], NOW)[0]?.kind, kind, `${status} ${code}`)
    t.equal(refusesAccountToken(response), renews, `${status} ${code}`)
  }
  t.ok(refusesAccess(responseOf(401, '80200001')), 'an access token of version 2 is renewed for it')
  t.equal(new Set(HMS_CODES.map(([code]) => code)).size, HMS_CODES.length)

  const listed = { illegalTokens: { ' tokenFormatError ': ['t2'] }, success: 1, failure: 1 }
  const partial = { code: '80100000', msg: JSON.stringify(listed), requestId: 'r' }
  const response = readResponse({ kind: 'response', status: 200, headers: {}, body: JSON.stringify(partial) })
  t.strictSame(hmsOutcomes(response, ['t1', 't2'], NOW), [
    { kind: 'sent', id: 'r' },
    { kind: 'token-gone', reason: '80100000 tokenFormatError' },
  ])
})

t.test('credentials as stored: either kind alone, and both', async (t) => {
  const account = {
    file: readHmsAccountFile(Buffer.from(JSON.stringify({ ...FILE, token_uri: 'x' }))),
    category: 'WORK',
  }
  const parts = [
    { projectId: PROJECT, client: CLIENT },
    { projectId: PROJECT, account },
    { projectId: PROJECT, client: CLIENT, account },
  ]
  for (const given of parts) t.strictSame(hmsPartsOf(hmsStored(given)), given)
  t.strictSame(
    hmsStored(parts[0] ?? { projectId: '' }).settings,
    { projectId: PROJECT },
    'as former versions store them',
  )
  t.strictSame(hmsStored({ projectId: PROJECT, client: CLIENT, account }).settings, {
    projectId: PROJECT,
    apis: '2, 3',
    accountKeyId: 'key-1',
    category: 'WORK',
  })
  const both = hmsStored({ projectId: PROJECT, client: CLIENT, account })
  t.match(readHmsCredentials(both.settings, both.secret), {
    ...CLIENT,
    account: { subAccount: '100000002', category: 'WORK' },
  })
  const elsewhere = hmsStored({ projectId: 'other', client: CLIENT, account })
  t.match(readHmsCredentials(elsewhere.settings, elsewhere.secret), {
    projectId: 'other',
    account: { projectId: PROJECT },
  })
  const alone = hmsStored({ projectId: PROJECT, account })
  t.notOk('clientId' in readHmsCredentials(alone.settings, alone.secret))

  const refused: [name: string, read: () => unknown, hint: RegExp][] = [
    ['no JSON', () => readHmsAccountFile(Buffer.from('s3cr3t')), /not JSON/],
    [
      'no key',
      () => readHmsAccountFile(Buffer.from(JSON.stringify({ ...FILE, private_key: '' }))),
      /lacks "private_key"/,
    ],
    [
      'a damaged key',
      () => readHmsAccountFile(Buffer.from(JSON.stringify({ ...FILE, private_key: 's3cr3t' }))),
      /damaged/,
    ],
    [
      'a key of another kind',
      () => {
        const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
          type: 'pkcs8',
          format: 'pem',
        })
        return readHmsAccountFile(Buffer.from(JSON.stringify({ ...FILE, private_key: pem })))
      },
      /must be an RSA key/,
    ],
  ]
  for (const [name, read, hint] of refused) {
    let error: unknown
    try {
      read()
    } catch (thrown) {
      error = thrown
    }
    t.ok(error instanceof InvalidCredentials, name)
    t.match(String(error), hint, name)
    t.notMatch(String(error), /s3cr3t/, name)
  }
})

/** A cache of several keys, as the store's. */
class Tokens implements TokenCache {
  readonly kept = new Map<string, ProviderToken>()
  minted = 0

  async take(key: string, isFresh: (token: ProviderToken) => boolean, mint: () => Promise<ProviderToken>) {
    const known = this.kept.get(key)
    if (known && isFresh(known)) return known
    const token = await mint()
    this.minted += 1
    this.kept.set(key, token)
    return token
  }
}

const log = createLogger({ logLevel: 'silent', logPretty: false }, 'test')

async function simulate(t: Test): Promise<Simulator> {
  const simulator = await startSimulator()
  t.teardown(() => simulator.stop())
  simulator.addHmsServiceAccount({
    subAccount: FILE.sub_account,
    keyId: FILE.key_id,
    publicKeyPem: PUBLIC_PEM,
    projectId: PROJECT,
  })
  return simulator
}

const account = { file: FILE, category: 'FINANCE' }
const BOTH = hmsStored({ projectId: PROJECT, client: CLIENT, account })

function contextOf(t: Test, { hms: fake }: Simulator, tokens: TokenCache) {
  const caFile = `${t.testdir({ 'ca.pem': fake.ca })}/ca.pem`
  const config = readConfig({ HMS_BASE_URL: fake.origin, HMS_TOKEN_URL: fake.tokenUrl, HMS_CA_FILE: caFile })
  return { config, log, tokens, now: Date.now }
}

function open(
  t: Test,
  simulator: Simulator,
  { stored = BOTH, tokens = new Tokens() }: { stored?: StoredCredentials; tokens?: TokenCache } = {},
) {
  const provider = hms.open({ appId: 'my-app', ...stored }, contextOf(t, simulator, tokens))
  t.teardown(() => provider.close())
  return provider
}

const target = (token: string, tokenKind?: 'v3', message = 0): PushTarget => ({
  token,
  pushId: randomUUID(),
  message,
  ...(tokenKind && { tokenKind }),
})
const inOrder = (outcomes: ReadonlyMap<number, Outcome>) =>
  [...outcomes]
    .toSorted(([a], [b]) => a - b)
    .map(([, { kind, ...rest }]) => ('reason' in rest ? `${kind} ${rest.reason}` : kind))

t.test('both versions beside each other: each phone gets the request of its version', async (t) => {
  const simulator = await simulate(t)
  const tokens = new Tokens()
  const messages = [message({ title: 'A' }, { id: 'a' }), message({ title: 'B' }, { id: 'b' })]
  const targets = [
    target('old-1'),
    target('new-1', 'v3'),
    target('old-2', undefined, 1),
    target('new-2', 'v3'),
    target('faded410', 'v3'),
  ]
  const outcomes = await push(t, open(t, simulator, { tokens }), { messages, targets })
  t.strictSame(inOrder(outcomes), ['sent', 'sent', 'sent', 'sent', 'token-gone 80100000 tokenFormatError'])
  const seen = simulator.pushes
    .map((push) => (push.platform === 'huawei' ? `${push.token} ${push.version}` : ''))
    .toSorted()
  t.strictSame(seen, ['new-1 3', 'new-2 3', 'old-1 2', 'old-2 2'])
  t.equal(tokens.minted, 2, 'one access token, one token of the account')
  const requests = new Set(
    simulator.pushes.flatMap((push) => (push.platform === 'huawei' && push.version === 3 ? push.requestId : [])),
  )
  t.equal(requests.size, 1, 'phones of version 3 share a request')
})

t.test('an attempt that is repeated is shown once', async (t) => {
  const simulator = await simulate(t)
  const provider = open(t, simulator)
  const chunk = { messages: [message({ title: 'A' }, { id: 'once' })], targets: [target('new-1', 'v3')] }
  for (let attempt = 0; attempt < 2; attempt++) t.strictSame(inOrder(await push(t, provider, chunk)), ['sent'])
  t.equal(simulator.pushes.length, 1)
})

t.test('texts by keys alone fail for phones of version 3, and reach the others', async (t) => {
  const simulator = await simulate(t)
  const chunk = { messages: [message({ titleLocKey: 'k' })], targets: [target('new-1', 'v3'), target('old-1')] }
  t.strictSame(inOrder(await push(t, open(t, simulator), chunk)), ['failed NoText', 'sent'])
  t.strictSame(
    simulator.pushes.map(({ token }) => token),
    ['old-1'],
  )
})

t.test('one kind of credentials alone: phones of the other version fail', async (t) => {
  const simulator = await simulate(t)
  const chunk = { messages: [message({ title: 'A' })], targets: [target('new-1', 'v3'), target('old-1')] }
  const client = open(t, simulator, { stored: hmsStored({ projectId: PROJECT, client: CLIENT }) })
  t.strictSame(inOrder(await push(t, client, chunk)), ['failed NotConfigured', 'sent'])
  const tokens = new Tokens()
  const alone = open(t, simulator, { stored: hmsStored({ projectId: PROJECT, account }), tokens })
  t.strictSame(inOrder(await push(t, alone, chunk)), ['sent', 'failed NotConfigured'])
  t.strictSame(
    [...tokens.kept.keys()].map((key) => key.replace(/[0-9a-f]{32}/, '')),
    ['hms:v3:'],
  )
})

t.test('a refused token is signed anew where that may help, once', async (t) => {
  const simulator = await simulate(t)
  const chunk = { messages: [message({ title: 'A' })], targets: [target('new-1', 'v3')] }
  for (const [reason, minted, outcome] of [
    ['80200001', 1, 'credentials-error 80200001'],
    ['80300036', 1, /^credentials-error 80300036/],
    ['80200005', 2, /^credentials-error 80200005/],
  ] as const) {
    const tokens = new Tokens()
    simulator.respondTo('new-1', { status: 401, reason })
    const outcomes = inOrder(await push(t, open(t, simulator, { tokens }), chunk))
    t.match(outcomes, [outcome], reason)
    t.equal(tokens.minted, minted, reason)
    simulator.forgetResponses()
  }
  simulator.respondTo('new-1', { status: 401, reason: '80200005', times: 1 })
  t.strictSame(inOrder(await push(t, open(t, simulator), chunk)), ['sent'])
})

t.test('a trial tries each kind of credentials, and shows nothing', async (t) => {
  const simulator = await simulate(t)
  const trial = (stored: StoredCredentials) =>
    runTrial(hms, { appId: 'my-app', ...stored }, { ...contextOf(t, simulator, new Tokens()), timeoutMs: 10_000 })
  t.match(await trial(BOTH), { accepted: true, reason: null, tried: /only validated; a test push/ })
  const alone = await trial(hmsStored({ projectId: PROJECT, account }))
  t.match(alone, { accepted: true, tried: /^a test push/ })
  const other = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({ type: 'pkcs8', format: 'pem' })
  const wrong = { file: { ...FILE, private_key: other.toString() }, category: 'FINANCE' }
  t.match(await trial(hmsStored({ projectId: PROJECT, client: CLIENT, account: wrong })), {
    accepted: false,
    reason: /^80200001/,
  })
  t.strictSame(
    simulator.phones.flatMap(({ notifications }) => notifications.filter(({ silent }) => !silent)),
    [],
  )
})

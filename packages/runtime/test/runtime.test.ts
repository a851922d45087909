// Settings, logger, resources and the frame of a process. What a process writes or exits with is seen from its parent.
import { spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import {
  ConfigError,
  createHealth,
  createLogger,
  createMetrics,
  createResources,
  isLocalHost,
  isLoopback,
  printable,
  readConfig,
  serveProbes,
  SETTINGS,
  SETTINGS_BY_SUBJECT,
  shortened,
  type Config,
  type Environment,
} from '../src/index.ts'
import { createRequestTimes } from '../src/request-times.ts'
import { doubleNames, nameInUse } from '../src/former-names.ts'
import type { Setting } from '../src/setting.ts'

const KEY = randomBytes(32).toString('base64')

/** The text of the refusal; fails the test when there is none. */
function refused(environment: Environment): string {
  try {
    readConfig(environment)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  throw new Error(`Not refused: ${JSON.stringify(environment)}`)
}

t.test('settings: what is given is read', async (t) => {
  const cases: [name: string, given: string, key: keyof Config, value: unknown][] = [
    ['SYNC_TIMEOUT', '500ms', 'syncTimeout', 500],
    ['SYNC_TIMEOUT', '30s', 'syncTimeout', 30_000],
    ['SYNC_TIMEOUT', '5m', 'syncTimeout', 300_000],
    ['DELIVERY_MAX_AGE', '24h', 'deliveryMaxAge', 86_400_000],
    ['DELIVERY_MAX_AGE', '7d', 'deliveryMaxAge', 604_800_000],
    ['SYNC_TIMEOUT', '0s', 'syncTimeout', 0],
    ['APNS_USE_DEVELOPMENT', 'true', 'apnsUseDevelopment', true],
    ['APNS_USE_DEVELOPMENT', 'false', 'apnsUseDevelopment', false],
    ['LOG_PRETTY', 'true', 'logPretty', true],
    ['PORT', '0', 'port', 0],
    ['PORT', '65535', 'port', 65_535],
    ['BATCH_SIZE', '1', 'batchSize', 1],
    ['BODY_LIMIT', '2147483647', 'bodyLimit', 2_147_483_647],
    ['LOG_LEVEL', 'silent', 'logLevel', 'silent'],
    ['AUTH', 'none', 'auth', 'none'],
    ['AUTH', 'keys', 'auth', 'keys'],
    ['REDIS_URL', 'redis://queue:6379', 'redisUrl', 'redis://queue:6379'],
  ]
  for (const [name, given, key, value] of cases) t.equal(readConfig({ [name]: given })[key], value, `${name}=${given}`)
})

t.test('settings: what is left out or empty has its fallback', async (t) => {
  for (const environment of [{}, Object.fromEntries(Object.values(SETTINGS).map(({ name }) => [name, '']))]) {
    t.match(readConfig(environment), {
      host: '127.0.0.1',
      port: 8080,
      auth: undefined,
      apiKeyBootstrap: undefined,
      trustProxy: undefined,
      databaseUrl: undefined,
      redisUrl: undefined,
      encryptionKey: undefined,
      logLevel: 'info',
      logPretty: false,
      apnsUseDevelopment: false,
      syncTimeout: 30_000,
      batchSize: 20,
      bodyLimit: 1_048_576,
      deliveryMaxAge: 86_400_000,
      dataDir: '.data',
      simulatorPort: 8090,
    })
  }
})

t.test('settings: bad values are refused by name, value and format', async (t) => {
  const duration = 'a number with a unit: 500ms, 30s, 5m, 24h, 7d'
  const cases: [name: string, given: string, format: string][] = [
    ...['30', '1.5s', '-1s', '30 s', '1w', 's', '30S', 'ms30'].map((given): [string, string, string] => [
      'SYNC_TIMEOUT',
      given,
      duration,
    ]),
    ...['TRUE', '1', 'yes', ' true'].map((given): [string, string, string] => ['LOG_PRETTY', given, 'true or false']),
    ...['65536', '-1', '80a', '80.0', ' 80', '1e3', '0x50'].map((given): [string, string, string] => [
      'PORT',
      given,
      'a whole number from 0 to 65535',
    ]),
    ...['2147483648', '-5', 'many', '+5'].map((given): [string, string, string] => ['BATCH_SIZE', given, '2147483647']),
    ['AUTH', 'None', 'none or keys'],
    ['LOG_LEVEL', 'verbose', 'trace or debug or info or warn or error or fatal or silent'],
  ]
  for (const [name, given, format] of cases) {
    const message = refused({ [name]: given })
    t.ok(message.includes(`${name}: "${given}" is not `) && message.includes(format), message)
  }
})

t.test('settings: values with which nothing would run are refused', async (t) => {
  const cases: [name: string, given: string][] = [
    ['DATABASE_POOL', '0'],
    ['DIRECT_CONCURRENCY', '0'],
    ['CAMPAIGN_CONCURRENCY', '0'],
    ['APNS_CONCURRENCY', '0'],
    ['BATCH_SIZE', '0'],
    ['BODY_LIMIT', '0'],
    ['LEASE_TIME', '0s'],
    ['SWEEP_INTERVAL', '0s'],
    // Longer than a timer can be: it would fire at once.
    ['SYNC_TIMEOUT', '25d'],
    ['SWEEP_INTERVAL', '25d'],
    ['STOP_TIMEOUT', '99999999999d'],
    ['BACKLOG_LIMIT', '0'],
    ['RETENTION_INTERVAL', '25d'],
    ['MESSAGE_AGE', '0s'],
    ['MESSAGE_AGE', '3651d'],
  ]
  for (const [name, given] of cases)
    t.throws(() => readConfig({ [name]: given }), { name: 'ConfigError' }, `${name}=${given}`)
  t.equal(readConfig({ MESSAGE_AGE: '3650d' }).messageAge, 3650 * 86_400_000, 'no timer counts an age')
})

t.test('settings: all errors at once, and no secret among them', async (t) => {
  const secrets = {
    DATABASE_URL: 'postgres://push:hunter2@db/push',
    REDIS_URL: 'redis://:hunter3@queue',
    ENCRYPTION_KEY: 'hunter4',
    ENCRYPTION_KEY_OLD: 'hunter5',
  }
  const message = refused({ ...secrets, PORT: 'http', SYNC_TIMEOUT: 'soon', AUTH: 'basic', SWEEP_AFTR: '1s' })
  for (const name of ['PORT', 'SYNC_TIMEOUT', 'AUTH', 'SWEEP_AFTR', 'ENCRYPTION_KEY', 'ENCRYPTION_KEY_OLD'])
    t.match(message, new RegExp(`^  ${name}: `, 'm'))
  t.notMatch(message, /hunter/)
  t.equal(message.split('\n').length, 7, 'a line for each error below the first')
})

t.test('settings: encryption keys are random and whole, whichever setting has them', async (t) => {
  const weak = [
    Buffer.alloc(32),
    Buffer.alloc(32, 7),
    Buffer.from(Array.from({ length: 32 }, (_, index) => index)),
    Buffer.from(Array.from({ length: 32 }, (_, index) => 255 - 3 * index)),
    Buffer.from('0123456789abcdef'.repeat(2)),
    Buffer.from('correct horse battery staple, ok'),
    Buffer.from('d41d8cd98f00b204e9800998ecf8427e'),
  ].map((bytes) => bytes.toString('base64'))
  for (const key of weak) {
    t.match(
      refused({ ENCRYPTION_KEY: key }),
      /ENCRYPTION_KEY: the value given is not 32 random bytes, .* it can be guessed$/,
    )
    t.same(readConfig({ ENCRYPTION_KEYS_OLD: key }).encryptionKeysOld, [key], 'it can be replaced')
  }
  const broken = [
    'hunter2',
    KEY.slice(1),
    `${KEY}=`,
    randomBytes(31).toString('base64'),
    randomBytes(32).toString('hex'),
  ]
  for (const key of broken)
    for (const setting of [{ ENCRYPTION_KEY: key }, { ENCRYPTION_KEYS_OLD: `${KEY},${key}` }]) {
      const [name = ''] = Object.keys(setting)
      t.match(refused(setting), new RegExp(`${name}: the value given is not 32 bytes in base64`))
      t.notOk(refused(setting).includes(key))
    }
  t.same(readConfig({ ENCRYPTION_KEYS_OLD: ` ${KEY}, ${KEY},` }).encryptionKeysOld, [KEY, KEY])
  for (let n = 0; n < 1000; n++)
    t.doesNotThrow(() => readConfig({ ENCRYPTION_KEY: randomBytes(32).toString('base64') }))
})

t.test('settings: unknown names', async (t) => {
  for (const name of [
    'APNS_CONCURRENCYS',
    'FCM_FOO',
    'HMS_FOO',
    'POWERAUTH_URI',
    'DELIVERY_AGE',
    'QUEUE_NAME',
    'SWEEP_EVERY',
    'API_KEY_BOOTSTRP',
  ])
    t.match(
      refused({ [name]: 'x' }),
      new RegExp(`^Configuration refused:\n  ${name}: there is no setting of this name(; the nearest is [A-Z_0-9]+)?$`),
    )
  for (const name of ['PATH', 'HOME', 'NODE_ENV', 'apns_concurrency', 'MY_APNS_CONCURRENCY', 'KUBERNETES_SERVICE_HOST'])
    t.doesNotThrow(() => readConfig({ [name]: 'x' }), name)
})

t.test('settings: every name misspelt in every way is refused, and what it was to be is said', async (t) => {
  const names = Object.values<Setting<unknown>>(SETTINGS).flatMap(({ name, secret }) =>
    secret ? [name, `${name}_FILE`] : [name],
  )
  const known = new Set(names)
  /** One letter left out, doubled, replaced, or swapped with the next. */
  const misspelt = (name: string) =>
    Array.from(name).flatMap((letter, at) => {
      const [before, after] = [name.slice(0, at), name.slice(at + 1)]
      return [
        before + after,
        before + letter + letter + after,
        `${before}X${after}`,
        before + after.slice(0, 1) + letter + after.slice(1),
      ]
    })
  const passed = names.flatMap((name) =>
    misspelt(name).filter((wrong) => {
      if (known.has(wrong)) return false
      const nearest = new RegExp(`^  ${wrong}: there is no setting of this name; the nearest is \\w+$`, 'm')
      return !nearest.test(refused({ [wrong]: 'x' }))
    }),
  )
  t.same(passed, [])
  const surroundings =
    'PATH HOME USER SHELL LANG TERM PWD TZ HOSTNAME LOGNAME MAIL EDITOR CI DEBUG INIT_CWD COLORTERM SHLVL OLDPWD NODE_ENV NODE_OPTIONS ' +
    'NODE_COMPILE_CACHE HTTP_PROXY HTTPS_PROXY NO_PROXY SSH_AUTH_SOCK XDG_DATA_DIRS PGHOST PGPORT PGUSER PGPASSWORD DATABASE_HOST ' +
    'DATABASE_PORT DATABASE_NAME REDIS_HOST REDIS_PORT POSTGRES_PASSWORD LOG_DIR KUBERNETES_PORT KUBERNETES_PORT_443_TCP'
  for (const name of ['APNS_PORT', 'HOST_PORT', 'PUSH_PORT'])
    t.doesNotThrow(() => readConfig({ [name]: 'tcp://10.0.0.1:80' }), `${name} of a service in Kubernetes`)
  for (const name of surroundings.split(' ')) t.doesNotThrow(() => readConfig({ [name]: 'x' }), name)
})

t.test('settings: bounds that the meaning has are in the schema', async (t) => {
  for (const [name, value] of [
    ['CIRCUIT_BREAKER_PERCENT', '5000'],
    ['GUARD_PERCENT', '5000'],
    ['CIRCUIT_BREAKER_PERCENT', '101'],
    ['CIRCUIT_BREAKER_RECENT', '51'],
    ['DATABASE_POOL', '262144'],
  ] as const)
    t.match(refused({ [name]: value }), new RegExp(`^  ${name}: "${value}" is not a whole number from 1 to`, 'm'))
  const percentages = Object.values<Setting<unknown>>(SETTINGS).filter(({ name, doc }) =>
    /PERCENT|^Percentage/.test(name + doc),
  )
  for (const { name, bounds } of percentages) t.same(bounds, { least: '1', most: '100' }, name)
})

t.test('settings: a former name is read for one release, beside the new one', async (t) => {
  const renamed = [
    ['APNS_WINDOW', 'APNS_CONCURRENCY', 'apnsConcurrency'],
    ['FCM_WINDOW', 'FCM_CONCURRENCY', 'fcmConcurrency'],
    ['HMS_WINDOW', 'HMS_CONCURRENCY', 'hmsConcurrency'],
    ['GUARD_PERCENT', 'CIRCUIT_BREAKER_PERCENT', 'breakerPercent'],
    ['GUARD_PUSHES', 'CIRCUIT_BREAKER_PUSHES', 'breakerPushes'],
    ['GUARD_RECENT', 'CIRCUIT_BREAKER_RECENT', 'breakerRecent'],
    ['DIRECT_CONCURRENCY', 'DIRECT_DELIVERIES', 'directDeliveries', 1400],
  ] as const
  const listed = Object.values(SETTINGS).filter(({ formerName }) => formerName !== undefined)
  t.same(new Set(listed.map(({ formerName }) => formerName)), new Set(renamed.map(([formerName]) => formerName)))
  for (const [formerName, name, key, value = 7] of renamed) {
    const config = readConfig({ [formerName]: '7', [name]: '' })
    t.equal(config[key], value, formerName)
    t.same(config.formerNames, [{ formerName, name }], `${formerName}: to be warned of`)
    t.same(readConfig({ [name]: '7', [formerName]: '' }).formerNames, [], `${name}: nothing to be warned of`)
    t.match(refused({ [formerName]: 'x' }), new RegExp(`^  ${formerName}: "x" is not a whole number`, 'm'))
    t.equal(
      refused({ [formerName]: '7', [name]: '7' }),
      `Configuration refused:\n  ${formerName}: former name of ${name}, which is given as well; leave ${formerName} out`,
    )
  }
})

t.test('settings: a former name of a secret may name a file', async (t) => {
  const setting = { name: 'NEW_KEY', formerName: 'OLD_KEY', secret: true }
  t.equal(nameInUse(setting, { OLD_KEY_FILE: 'file' }), 'OLD_KEY')
  t.equal(nameInUse(setting, { OLD_KEY_FILE: 'file', NEW_KEY_FILE: 'file' }), 'NEW_KEY')
  t.match(doubleNames([setting], { OLD_KEY_FILE: 'file', NEW_KEY: 'x' }), [/^OLD_KEY: former name of NEW_KEY/])
  t.equal(nameInUse({ ...setting, secret: false }, { OLD_KEY_FILE: 'file' }), 'NEW_KEY', 'only secrets')
})

t.test('settings: what a program cannot do without', async (t) => {
  const required = ['databaseUrl', 'encryptionKey'] as const
  t.throws(() => readConfig({ PORT: 'x', ENCRYPTION_KEY: '' }, required), {
    message: [
      'Configuration refused:',
      '  PORT: "x" is not a whole number from 0 to 65535',
      '  DATABASE_URL: required, but not given',
      '  ENCRYPTION_KEY: required, but not given',
    ].join('\n'),
  })
  t.match(readConfig({ DATABASE_URL: 'a', ENCRYPTION_KEY: KEY }, required), { databaseUrl: 'a', encryptionKey: KEY })
})

t.test('settings: secrets may stand in files', async (t) => {
  const folder = t.testdir({ secret: `${KEY}\n`, latin1: Buffer.from('hunt\u00e9r', 'latin1') })
  const file = join(folder, 'secret')
  t.equal(readConfig({ ENCRYPTION_KEY_FILE: file }).encryptionKey, KEY)
  t.equal(readConfig({ ENCRYPTION_KEY_FILE: '', ENCRYPTION_KEY: KEY }).encryptionKey, KEY)
  const notUtf8 = refused({ ENCRYPTION_KEY_FILE: join(folder, 'latin1') })
  t.match(notUtf8, /ENCRYPTION_KEY: the value given is not a file in UTF-8/)
  const missing = refused({ ENCRYPTION_KEY_FILE: `${file}.missing`, ENCRYPTION_KEY: 'hunter3' })
  t.match(missing, /ENCRYPTION_KEY: .*readable file/)
  t.notMatch(missing, /hunter/)
  t.match(
    refused({ APNS_CONCURRENCY_FILE: file }),
    /APNS_CONCURRENCY_FILE: there is no setting of this name/,
    'only secrets',
  )
})

t.test('settings: which proxies are believed', async (t) => {
  for (const [given, value] of [
    ['loopback', ['loopback']],
    ['10.0.0.0/8, 192.168.1.7', ['10.0.0.0/8', '192.168.1.7']],
    ['::1,fd00::/8,uniquelocal,linklocal', ['::1', 'fd00::/8', 'uniquelocal', 'linklocal']],
  ] as const)
    t.same(readConfig({ TRUST_PROXY: given }).trustProxy, value)
  for (const given of [
    'true',
    '1',
    'proxy.example.com',
    '10.0.0.0/33',
    '10.0.0.0/8/8',
    'loopback,',
    '0.0.0.0/0',
    '::/0',
  ])
    t.match(refused({ TRUST_PROXY: given }), new RegExp(`TRUST_PROXY: "${given}" is not a list such as 10`))
})

t.test('settings: the list itself', async (t) => {
  const settings = Object.values(SETTINGS)
  t.equal(new Set(settings.map(({ name }) => name)).size, settings.length, 'no name stands twice')
  for (const { name, doc, format, secret } of settings) {
    t.match(name, /^[A-Z][A-Z0-9_]*[A-Z]$/)
    t.ok(doc.endsWith('.') && format !== '', `${name} is documented`)
    t.equal(secret, /KEY|PASSWORD|SECRET|DATABASE_URL|REDIS_URL/.test(name), `${name} is a secret or is none`)
    t.notMatch(doc, /^(Its|The same|This|That|So many)\b/, `${name}: the description stands alone`)
  }
  const bySubject = Object.values(SETTINGS_BY_SUBJECT).flatMap((group) => Object.values(group))
  t.same(bySubject, settings, 'each stands under one heading of docs/configuration.md')
})

t.test('settings: the bounds that are documented are those that are checked', async (t) => {
  for (const { name, bounds, parse } of Object.values<Setting<unknown>>(SETTINGS)) {
    if (!bounds) continue
    for (const value of [bounds.least, bounds.most]) t.doesNotThrow(() => parse(value), `${name}=${value}`)
    const [, amount, unit] = /^(\d+)(\D*)$/.exec(bounds.most) ?? []
    const beyond = `${Number(amount) + 1}${unit}`
    t.throws(
      () => parse(beyond),
      { message: new RegExp(`from ${bounds.least} to ${bounds.most}$`) },
      `${name}=${beyond}`,
    )
  }
})

t.test('config is frozen', async (t) => {
  const config = readConfig({ PORT: '1234' })
  t.throws(() => Object.assign(config, { port: 80 }), TypeError)
  t.throws(() => Object.assign(config, { more: true }), TypeError)
  t.equal(config.port, 1234)
})

/** Runs a program on this package; each signal is sent when it has written a line more. */
const folder = await mkdtemp(join(tmpdir(), 'push-runtime-'))
t.teardown(() => rm(folder, { recursive: true }))

async function run(program: string, signals: NodeJS.Signals[] = []) {
  const source = `import * as runtime from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}\n${program}`
  // A file: threads of a program given by --eval would be started with that flag, and refuse it.
  const file = join(folder, `${randomUUID()}.mjs`)
  await writeFile(file, source)
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = Promise.all([text(child.stdout), text(child.stderr)])
  for (const signal of signals) {
    await once(child.stdout, 'data')
    child.kill(signal)
  }
  const [code] = await once(child, 'exit')
  const [stdout, stderr] = await output
  return { code, stdout, stderr }
}

const SECRETS = ['token', 'tokens', 'privateKey', 'privateKeyBase64', 'secret', 'clientSecret', 'body', 'authorization']

t.test('logger: secrets never reach the output, wherever they stand', async (t) => {
  const program = `
    const log = runtime.createLogger({ logLevel: 'info', logPretty: PRETTY }, 'test')
    for (const member of ${JSON.stringify(SECRETS)}) {
      const holder = { [member]: 'hunter-' + member, kept: 'kept-' + member }
      log.info(holder, 'depth 0')
      log.info({ device: holder }, 'depth 1')
      log.info({ request: { device: holder } }, 'depth 2')
      log.info({ devices: [holder, holder] }, 'in a list')
      log.info({ [member]: { nested: 'hunter-' + member }, kept: 'kept-' + member }, 'an object')
      log.child({ device: holder }).info('of a child')
      log.warn({ err: Object.assign(new Error('failure'), holder) }, 'of an error')
      log.debug({ kept: 'below the level' }, 'not written')
    }`
  for (const pretty of ['false', 'true']) {
    const { stdout, stderr, code } = await run(program.replace('PRETTY', pretty))
    t.equal(code, 0)
    t.equal(stderr, '')
    t.notMatch(stdout, /hunter/, `no secret (pretty: ${pretty})`)
    t.notMatch(stdout, /below the level|not written/)
    for (const member of SECRETS) {
      const kept = stdout.split(`kept-${member}"`).length - 1
      t.equal(kept, 8, `what stands beside ${member} is kept`)
    }
  }
  const { stdout } = await run(program.replace('PRETTY', 'false'))
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.equal(lines.length, SECRETS.length * 7)
  t.match(lines[0], { name: 'test', level: 30, token: '[redacted]', kept: 'kept-token', msg: 'depth 0' })
})

/** What would begin a line, move the cursor, clear the screen or reverse what follows. */
const NASTY = 'a\nb\rc\u001b[2Jd\u009b2Je\u2028f\u202eg\u0000h\u007f'
const SHOWN = String.raw`a\nb\rc\u001b[2Jd\u009b2Je\u2028f\u202eg\u0000h\u007f`
/** Line breaks of ours stand at the end of lines alone. */
const UNSAFE = /(?!\n)[\p{Cc}\u2028\u202e]/u

t.test('printable: control characters, separators and marks of direction stand as escapes', async (t) => {
  t.equal(printable(NASTY), SHOWN)
  t.equal(printable('Übung 猫 👍 \\n'), 'Übung 猫 👍 \\n', 'everything else stays')
})

t.test('logger: no text from outside writes a line of its own, in any format of log', async (t) => {
  const program = `
    const nasty = ${JSON.stringify(NASTY)}
    const log = runtime.createLogger({ logLevel: 'info', logPretty: PRETTY }, 'test')
    log.info({ text: nasty, deep: { list: [nasty] }, [nasty]: 1 }, 'members')
    log.info(nasty)
    log.info('with %s', nasty)
    log.error({ err: new Error(nasty, { cause: new TypeError(nasty) }) }, 'of an error')
    log.error({ err: new Error(nasty) })
    log.error(new Error(nasty))
    log.error({ err: Object.assign(new Error('other'), { text: nasty, inner: new Error(nasty) }) }, 'members of an error')
    log.error({ err: new AggregateError([new Error(nasty)], nasty) }, 'several errors')`
  const { stdout: json } = await run(program.replace('PRETTY', 'false'))
  const lines = json.trimEnd().split('\n')
  t.equal(lines.length, 8)
  t.notMatch(json, UNSAFE)
  const objects = lines.map((line) => JSON.parse(line))
  t.match(objects[0], { text: SHOWN, deep: { list: [SHOWN] }, [SHOWN]: 1 })
  t.match([objects[1].msg, objects[2].msg], [SHOWN, `with ${SHOWN}`])
  t.match([objects[4].msg, objects[5].msg], [SHOWN, SHOWN])
  for (const { err } of objects.slice(3, 6)) {
    t.match(err, { message: /^a\\nb/, stack: /^Error: a\\nb/ })
    const [, ...frames] = err.stack.split('\n')
    t.ok(frames.length > 0 && frames.every((line: string) => /^ +at |^caused by: /.test(line)), err.stack)
  }
  const { stdout: pretty } = await run(program.replace('PRETTY', 'true'))
  const colourless = pretty.replaceAll(/\p{Cc}\[\d+m/gu, '')
  t.notMatch(colourless, UNSAFE)
  for (const line of colourless.trimEnd().split('\n')) t.match(line, /^\[\d\d:|^ {4,}|^caused by: |^ +\}|^ +"/, line)
  t.ok(colourless.split(SHOWN).length > 8)
})

t.test('what a process says before it has a log is printable too', async (t) => {
  t.ok(refused({ PORT: NASTY }).includes(`PORT: "${SHOWN}" is not`))
  t.notMatch(refused({ [`APNS_${NASTY}`]: '1' }), UNSAFE)
  for (const [thrown, expected] of [
    ['new Error(nasty)', `Error: ${SHOWN}\n    at `],
    ['nasty', `${SHOWN}\n`],
    ["new runtime.ConfigError('Configuration refused:\\n  ' + runtime.printable(nasty))", `refused:\n  ${SHOWN}\n`],
  ] as const) {
    const { stderr } = await run(
      `const nasty = ${JSON.stringify(NASTY)}\nawait runtime.runOnce(async () => { throw ${thrown} })`,
    )
    t.notMatch(stderr, UNSAFE)
    t.ok(stderr.includes(expected), stderr)
  }
})

t.test('names of this machine', async (t) => {
  for (const host of ['localhost', 'LocalHost.:80', '127.0.0.1:1', '127.9.9.9', '[::1]', '[::1]:80', '[::ffff:7f00:1]'])
    t.equal(isLocalHost(host, []), true, host)
  for (const host of [
    '',
    'a/b',
    'a b',
    'localhost.evil',
    '::1',
    '[::1',
    '128.0.0.1',
    '[::ffff:10.0.0.1]',
    'x.localhost',
  ])
    t.equal(isLocalHost(host, []), false, host)
  t.equal(isLocalHost(undefined, []), false)
  t.equal(isLocalHost('Push.Internal:8080', ['push.internal']), true)
  for (const host of ['localhost', '127.0.0.2', '::1', 'LOCALHOST']) t.equal(isLoopback(host), true, host)
  for (const host of ['0.0.0.0', '::', 'push.internal']) t.equal(isLoopback(host), false, host)
})

t.test('settings: origins and hosts', async (t) => {
  t.same(readConfig({ PUBLIC_ORIGINS: 'https://Push.example.com:443, http://localhost:3000' }).publicOrigins, [
    'https://push.example.com',
    'http://localhost:3000',
  ])
  for (const PUBLIC_ORIGINS of ['push.example.com', 'https://a/b', 'https://a,', 'null', '*', 'https://a@b'])
    t.match(refused({ PUBLIC_ORIGINS }), /PUBLIC_ORIGINS: .* is not a list of origins/, PUBLIC_ORIGINS)
  t.same(readConfig({ ALLOWED_HOSTS: 'Push.Internal., 192.168.1.7,fd00::1,[fd00::2]' }).allowedHosts, [
    'push.internal',
    '192.168.1.7',
    'fd00::1',
    'fd00::2',
  ])
  for (const ALLOWED_HOSTS of ['a:80', 'https://a', 'a,', '[fd00::1]:80'])
    t.match(refused({ ALLOWED_HOSTS }), /ALLOWED_HOSTS: .* is not a list of names/, ALLOWED_HOSTS)
})

t.test('health server: what is no HTTP gets the envelope and an id, and the server lives on', async (t) => {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  const log = createLogger({ logLevel: 'info', logPretty: false }, 'test', destination)
  const health = createHealth()
  health.add({ name: 'database', essential: true, check: async () => ({ address: '10.0.0.7' }) })
  const access = { refuseMetrics: async () => undefined, mayReadDetails: () => new Promise<boolean>(() => {}) }
  const vitals = { health, metrics: createMetrics({ perApplication: false }) }
  const server = await serveProbes(vitals, { host: '127.0.0.1', port: 0, access, log })
  t.teardown(() => server.close())
  const socket = connect(server.port, '127.0.0.1')
  socket.write('hello\r\n\r\n')
  const response = await text(socket)
  t.match(response, /^HTTP\/1\.1 400 Bad Request\r\n/)
  t.match(response, /connection: close\r\n/)
  const [, id] = /x-correlation-id: (\S+)/.exec(response) ?? []
  t.match(JSON.parse(response.split('\r\n\r\n')[1] ?? ''), {
    status: 'ERROR',
    responseObject: { code: 'ERROR_REQUEST', message: /not a valid HTTP/ },
  })
  t.match(
    lines.map((line) => JSON.parse(line)),
    [{ level: 30, reqId: id, status: 400 }],
  )
  const ready = await fetch(`http://127.0.0.1:${server.port}/health/ready`)
  t.same(await ready.json(), { status: 'ready', parts: { database: { status: 'up', essential: true } } })
})

t.test('shortened: enough to find a token, too little to use it', async (t) => {
  t.equal(shortened('0123456789abcdef'), '012345…')
})

t.test('resources are closed in reverse', async (t) => {
  const order: string[] = []
  const resources = createResources(() => t.fail('no close fails'))
  for (const name of ['store', 'queues', 'http'])
    resources.add(name, async () => {
      await Promise.resolve()
      order.push(name)
    })
  await resources.close()
  t.same(order, ['http', 'queues', 'store'])
  await resources.close()
  t.equal(order.length, 3, 'once')
})

t.test('resources: one that fails does not keep the others, and the first error is thrown', async (t) => {
  const order: string[] = []
  const failures: [string, unknown][] = []
  const resources = createResources((name, error) => failures.push([name, error]))
  const late = new Error('late')
  const thrown = new Error('thrown')
  resources.add('store', () => void order.push('store'))
  resources.add('queues', () => Promise.reject(late))
  resources.add('waiters', () => void order.push('waiters'))
  resources.add('http', () => {
    throw thrown
  })
  await t.rejects(resources.close(), thrown)
  t.same(order, ['waiters', 'store'])
  t.same(failures, [
    ['http', thrown],
    ['queues', late],
  ])
  await t.resolves(resources.close(), 'nothing is left')
})

t.test('resources: two closes at once keep the order', async (t) => {
  const order: string[] = []
  const slow = Promise.withResolvers<void>()
  const resources = createResources(() => {})
  resources.add('store', () => void order.push('store'))
  resources.add('http', async () => {
    await slow.promise
    order.push('http')
  })
  const both = [resources.close(), resources.close()]
  slow.resolve()
  await Promise.all(both)
  t.same(order, ['http', 'store'])
})

t.test('process: stops in good order on a signal', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const { code, stdout, stderr } = await run(
      `await runtime.runProcess(async () => {
        setInterval(() => {}, 1000)
        setImmediate(() => console.log('started'))
        return async () => { await null; console.log('stopped') }
      })`,
      [signal],
    )
    t.same([code, stdout, stderr], [0, 'started\nstopped\n', ''], signal)
  }
})

t.test('process: a second signal does not wait', async (t) => {
  const { code } = await run(
    `await runtime.runProcess(async () => {
      setTimeout(() => {}, 60_000)
      setImmediate(() => console.log('started'))
      return () => new Promise(() => console.log('stopping'))
    })`,
    ['SIGTERM', 'SIGINT'],
  )
  t.equal(code, 130)
})

t.test('process: errors end it with a text and exit code 1', async (t) => {
  const settings = await run(`await runtime.runProcess(async () => { runtime.readConfig({ PORT: 'x' }) })`)
  t.equal(settings.code, 1)
  t.equal(
    settings.stderr,
    'Configuration refused:\n  PORT: "x" is not a whole number from 0 to 65535\n',
    'an error of configuration without its stack',
  )
  const ours = await run(`await runtime.runProcess(async () => { throw new TypeError('broken') })`)
  t.equal(ours.code, 1)
  t.match(ours.stderr, /^TypeError: broken\n {4}at /, 'any other with its stack')
  const stopping = await run(
    `await runtime.runProcess(async () => {
      setInterval(() => {}, 1000)
      setImmediate(() => console.log('started'))
      return () => Promise.reject(new Error('stuck'))
    })`,
    ['SIGTERM'],
  )
  t.equal(stopping.code, 1)
  t.match(stopping.stderr, /^Error: stuck\n/)
})

t.test('metrics: a renamed metric is exported under its former name too', async (t) => {
  const metrics = createMetrics({ perApplication: false })
  const linesOf = async (name: string) => (await metrics.text()).split('\n').filter((line) => line.includes(` ${name}`))
  t.match(await linesOf('push_guard_trips_total'), [
    '# HELP push_guard_trips_total Former name of push_circuit_breaker_openings_total; the next release no longer exports it',
    '# TYPE push_guard_trips_total counter',
  ])
  metrics.breakerOpened('ios')
  metrics.breakerOpened('ios')
  const samples = (await metrics.text()).split('\n').filter((line) => /^push_(guard|circuit)/.test(line))
  t.same(samples, ['push_circuit_breaker_openings_total{platform="ios"} 2', 'push_guard_trips_total{platform="ios"} 2'])
})

t.test('request times: as Micrometer counts them, and the longest is forgotten', async (t) => {
  const clock = { ms: 0 }
  const times = createRequestTimes(() => clock.ms)
  const request = { uri: '/a/{id}', method: 'GET', status: 200 }
  const maxOf = () => /_max\{.*\} (\S+)$/m.exec(times.text())?.[1]
  times.observe(request, 2)
  times.observe(request, 0.5)
  t.match(times.text().split('\n'), [
    /^# HELP http_server_requests_seconds /,
    '# TYPE http_server_requests_seconds summary',
    'http_server_requests_seconds_count{method="GET",outcome="SUCCESS",status="200",uri="/a/{id}"} 2',
    'http_server_requests_seconds_sum{method="GET",outcome="SUCCESS",status="200",uri="/a/{id}"} 2.5',
    /^# HELP http_server_requests_seconds_max /,
    '# TYPE http_server_requests_seconds_max gauge',
    'http_server_requests_seconds_max{method="GET",outcome="SUCCESS",status="200",uri="/a/{id}"} 2',
  ])
  clock.ms = 61_000
  times.observe(request, 1)
  t.equal(maxOf(), '2')
  clock.ms = 121_000
  t.equal(maxOf(), '1')
  clock.ms = 500_000
  t.equal(maxOf(), '0')
  for (const [status, outcome] of [
    [101, 'INFORMATIONAL'],
    [302, 'REDIRECTION'],
    [404, 'CLIENT_ERROR'],
    [503, 'SERVER_ERROR'],
  ] as const) {
    times.observe({ uri: undefined, method: 'POST', status }, 1)
    t.match(times.text(), `outcome="${outcome}",status="${status}",uri="NOT_FOUND"`)
  }
})

t.test('latencies: a histogram as Prometheus reads it', async (t) => {
  const metrics = createMetrics({ perApplication: false })
  const responded = metrics.responded('ios')
  for (const seconds of [0.005, 0.006, 0.04, 30, 31]) responded(seconds)
  metrics.responded('ios')(0.5)
  const text = await metrics.text()
  const lines = text.split('\n').filter((line) => line.includes('push_provider_latency_seconds'))
  const bounds = '0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 30 +Inf'.split(' ')
  const counts = [1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 5, 6]
  t.same(lines, [
    '# HELP push_provider_latency_seconds Time from a push to its response',
    '# TYPE push_provider_latency_seconds histogram',
    ...bounds.map((le, n) => `push_provider_latency_seconds_bucket{le="${le}",platform="ios"} ${counts[n]}`),
    `push_provider_latency_seconds_sum{platform="ios"} ${0.005 + 0.006 + 0.04 + 30 + 31 + 0.5}`,
    'push_provider_latency_seconds_count{platform="ios"} 6',
  ])
  t.ok(text.endsWith('\n'), 'as the format asks')
})

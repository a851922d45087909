// docker-compose.yml taken at its word, without Docker: what it says, and that each service works with just that.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { access, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { connectionBudget } from '@push-server/domain'
import { readConfig, SETTINGS } from '@push-server/runtime'
import { BACKENDS, createDatabase, createTcpProxy, freePort, waitFor } from '@push-server/testing'

t.setTimeout(1_800_000)

interface ComposeService {
  image: string
  command?: string[]
  environment?: Record<string, string>
  deploy?: { replicas: string }
  secrets?: string[]
  volumes?: string[]
  depends_on?: Record<string, { condition: string }>
  healthcheck?: { test?: string[]; disable?: boolean }
  ports?: string[]
  configs?: { source: string; target: string }[]
  restart?: string
}
interface Compose {
  services: Record<string, ComposeService>
  volumes: Record<string, object>
  secrets: Record<string, { file: string }>
  configs: Record<string, { file: string }>
}

const root = fileURLToPath(new URL('../../../', import.meta.url))
const compose = parse(await readFile(join(root, 'docker-compose.yml'), 'utf8'), { merge: true }) as Compose
const ours = Object.entries(compose.services).filter(([, { image }]) => image === 'push-server')

/** Values as Compose takes them when nothing is set on the outside. */
const withDefaults = (value: string) => value.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1')

t.test('what it says', async (t) => {
  const names = new Set<string>(
    Object.values(SETTINGS).flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name])),
  )
  t.same(
    ours.map(([name]) => name),
    ['migration', 'api-gateway', 'apns-worker', 'fcm-worker', 'hms-worker', 'campaign-scheduler'],
    'every service is there',
  )
  for (const [name, { command = [], environment = {}, secrets = [] }] of ours) {
    t.same(command, [`services/${name}/src/main.ts`])
    await t.resolves(access(join(root, command[0] ?? '?')), `${name}: the launcher exists`)
    t.same(
      Object.keys(environment).filter((variable) => !names.has(variable)),
      [],
      `${name}: every variable is a setting`,
    )
    const expected = Object.values(environment).flatMap((value) => /^\/run\/secrets\/(.+)$/.exec(value)?.[1] ?? [])
    t.same(expected.toSorted(), secrets.toSorted(), `${name}: it is given the secrets that it reads`)
  }
  const given = Object.values(compose.services).flatMap(({ secrets = [] }) => secrets)
  t.same([...new Set(given)].sort(), Object.keys(compose.secrets).sort(), 'secrets given are secrets declared')
  const [server, ...options] = compose.services.redis?.command ?? []
  t.equal(server, 'redis-server')
  t.same(options.join(' '), '--maxmemory-policy noeviction --appendonly yes')
  const [, maxConnections] = /max_connections=(\d+)/.exec(compose.services.postgres?.command?.join(' ') ?? '') ?? []
  const settings = Object.fromEntries(
    Object.entries(compose.services['api-gateway']?.environment ?? {}).map(([name, value]) => [
      name,
      withDefaults(value),
    ]),
  )
  const config = readConfig({ REDIS_URL: settings.REDIS_URL, DATABASE_PROCESSES: settings.DATABASE_PROCESSES })
  const replicas = ours.map(([, { deploy }]) => Number(withDefaults(deploy?.replicas ?? '1')))
  t.ok(
    replicas.reduce((sum, count) => sum + count, 0) <= config.databaseProcesses,
    'no more processes than are counted',
  )
  t.ok(Number(maxConnections) > connectionBudget(config), 'PostgreSQL takes what all of them may open')
  t.match(await readFile(join(root, 'Dockerfile'), 'utf8'), /^ENTRYPOINT \["node"\]$/m, 'commands are scripts of Node')
})

/** Of the Compose specification, what this file has a use for; a misspelt member would be refused by Docker only. */
const MEMBERS = {
  service: [
    'build',
    'command',
    'configs',
    'depends_on',
    'deploy',
    'environment',
    'healthcheck',
    'image',
    'init',
    'ports',
    'restart',
    'secrets',
    'stop_grace_period',
    'volumes',
  ],
  healthcheck: ['disable', 'interval', 'retries', 'test', 'timeout'],
}
const strangers = (object: object, known: string[]) => Object.keys(object).filter((member) => !known.includes(member))

t.test('its form', async (t) => {
  t.same(strangers(compose, ['services', 'volumes', 'secrets', 'configs', 'x-service', 'x-environment']), [])
  const mounted: (string | undefined)[] = []
  for (const [name, service] of Object.entries(compose.services)) {
    t.same(strangers(service, MEMBERS.service), [], `${name}: members`)
    t.same(strangers(service.healthcheck ?? {}, MEMBERS.healthcheck), [], `${name}: members of healthcheck`)
    mounted.push(...(service.volumes ?? []).map((volume) => volume.split(':')[0]))
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      const awaited = compose.services[other]
      const isOnce = awaited?.command?.[0] === 'services/migration/src/main.ts'
      const fitting = isOnce ? 'service_completed_successfully' : 'service_healthy'
      t.equal(condition, fitting, `${name} waits for ${other}`)
      // Our own have that of the image.
      const isOurs = awaited?.image === 'push-server'
      if (!isOnce) t.ok(isOurs || awaited?.healthcheck?.test, `${other} can be waited for`)
    }
  }
  t.same(mounted.toSorted(), Object.keys(compose.volumes).sort(), 'volumes mounted are volumes declared')
})

t.test('what would fail only on a first start, or with a second gateway', async (t) => {
  const check = compose.services.postgres?.healthcheck?.test ?? []
  const host = check[check.indexOf('-h') + 1]
  t.ok(
    check.includes('-h') && !host?.startsWith('/'),
    'PostgreSQL is checked over TCP: the socket is open while it is prepared',
  )
  t.match(compose.services.migration?.restart, /^on-failure/, 'the migration is attempted again')
  for (const [name, { ports = [], deploy }] of Object.entries(compose.services))
    t.ok(ports.length === 0 || deploy === undefined, `${name}: what may run twice publishes no port`)
  const published = Object.entries(compose.services).filter(([, { ports = [] }]) => ports.length > 0)
  t.same(
    published.map(([name]) => name),
    ['proxy'],
  )
  t.ok(Number(withDefaults(compose.services['api-gateway']?.deploy?.replicas ?? '0')) > 1, 'two gateways')
  const mounted = Object.values(compose.services).flatMap(({ configs = [] }) => configs.map(({ source }) => source))
  t.same(mounted.toSorted(), Object.keys(compose.configs).sort(), 'configurations mounted are declared')
  for (const { file } of Object.values(compose.configs)) await t.resolves(access(join(root, file)))
})

t.test(
  'the commands of docs/deploy.md make secrets that the user of the containers can read, and nobody else',
  async (t) => {
    const guide = await readFile(join(root, 'docs/deploy.md'), 'utf8')
    const [, block = ''] = /## With Docker Compose\n\n```sh\n(.*?)^```/ms.exec(guide) ?? []
    const commands = block.split('\n').filter((line) => !line.includes('docker compose'))
    const folder = t.testdir({})
    // As careful as a shell of an administrator may be.
    execFileSync('bash', ['-euc', `umask 077; ${commands.join('\n')}`], { cwd: folder })
    t.equal((await stat(join(folder, 'secrets'))).mode & 0o777, 0o700, 'others do not get into the folder')
    for (const { file } of Object.values(compose.secrets)) {
      const { mode, size } = await stat(join(folder, file))
      t.ok(mode & 0o004, `${file} is readable once it is mounted`)
      t.ok(size > 0, `${file} has a secret`)
    }
  },
)

t.test('the migration waits for PostgreSQL', async (t) => {
  const database = await createDatabase()
  t.teardown(() => database.close())
  const gate = await createTcpProxy(database.url)
  t.teardown(() => gate.shut())
  const script = compose.services.migration?.command?.[0] ?? '?'
  const env = { PATH: process.env.PATH ?? '', DATABASE_URL: gate.url }
  const child = spawn(process.execPath, [script], { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  let printed = ''
  child.stdout.on('data', (chunk) => (printed += String(chunk)))
  await waitFor(
    'it to find nobody there',
    () => printed.includes('PostgreSQL is not up yet') || child.exitCode !== null,
  )
  await gate.open()
  t.equal(await exitCode(child), 0, printed)
})

interface Place {
  redisUrl: string
  queuePrefix: string
  /** Files in the place of those that Compose mounts, by the name of the secret. */
  secretFiles: Record<string, string>
}

/** The environment as written, but for where this machine has things. */
async function environmentOf({ environment = {} }: ComposeService, { secretFiles, redisUrl, queuePrefix }: Place) {
  const result: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) {
    const secret = /^\/run\/secrets\/(.+)$/.exec(value)?.[1]
    result[name] = secret === undefined ? withDefaults(value) : (secretFiles[secret] ?? 'no such secret')
  }
  for (const name of ['PORT', 'HEALTH_PORT']) if (name in result) result[name] = String(await freePort())
  if ('REDIS_URL' in result) Object.assign(result, { REDIS_URL: redisUrl, QUEUE_PREFIX: queuePrefix })
  return result
}

/** As the image's entry point would; the working folder is the project's. */
function run(t: Test, script: string, environment: Record<string, string>): ChildProcess {
  const env = { PATH: process.env.PATH ?? '', NODE_ENV: 'production', ...environment }
  const child = spawn(process.execPath, [script], { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode
}

const redis = BACKENDS.find(({ name }) => name === 'redis')
const skip = redis?.skip ?? 'no back end of this name'

t.test('each service starts by it, is ready, and stops', { skip }, async (t) => {
  const database = await createDatabase()
  t.teardown(() => database.close())
  const { REDIS_URL: redisUrl = '', QUEUE_PREFIX: queuePrefix = '' } = redis?.environment() ?? {}
  const folder = t.testdir({})
  const secretFiles = {
    database_url: join(folder, 'database.url'),
    encryption_key: join(folder, 'encryption.key'),
    api_key: join(folder, 'api.key'),
  }
  // With a line's end, as the commands in docs/deploy.md write them.
  await writeFile(secretFiles.database_url, `${database.url}\n`)
  await writeFile(secretFiles.encryption_key, `${randomBytes(32).toString('base64')}\n`)
  await writeFile(secretFiles.api_key, `admin.${randomBytes(32).toString('hex')}\n`)

  /** Migration ends; any other runs until it is stopped. */
  async function runToItsEnd(name: string, service: ComposeService) {
    const environment = await environmentOf(service, { redisUrl, queuePrefix, secretFiles })
    const child = run(t, service.command?.[0] ?? '?', environment)
    if (name === 'migration') return t.equal(await exitCode(child), 0, name)
    const isHealthy = async () => await exitCode(run(t, 'services/healthcheck.mjs', environment))
    const url = `http://127.0.0.1:${environment.HEALTH_PORT ?? environment.PORT}/health/ready`
    const isReady = () => {
      if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`)
      return fetch(url).then(
        (response) => response.ok,
        () => false,
      )
    }
    await waitFor(`${name} to be ready`, isReady)
    await waitFor(`${name} to be healthy`, async () => (await isHealthy()) === 0)
    child.kill('SIGTERM')
    t.equal(await exitCode(child), 0, `${name} stops`)
    t.equal(await isHealthy(), 1, `${name} is no longer healthy`)
  }

  const [migration, ...others] = ours
  if (!migration) throw new Error('There is no service of ours')
  await runToItsEnd(...migration)
  const tables = await database.query("SELECT 1 FROM pg_tables WHERE tablename = 'chunks'")
  t.equal(tables.length, 1, 'the database is migrated')
  await Promise.all(others.map((service) => runToItsEnd(...service)))
})

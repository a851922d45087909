// The command as a person runs it, and its command line as a table.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { migrate, openApiKeyStore } from '@push-server/store'
import { createDatabase } from '@push-server/testing'
import t from 'tap'
import { readCommand } from '../src/command.ts'
import { perform } from '../src/perform.ts'

const run = promisify(execFile)
const LAUNCHER = fileURLToPath(new URL('../src/main.ts', import.meta.url))

t.test('the command line', async (t) => {
  const create = ['create', '--name', 'Back end', '--scopes', 'message']
  t.same(readCommand(create), { verb: 'create', request: { name: 'Back end', scopes: ['message'], appIds: [] } })
  t.same(readCommand(['--scopes=message, device,message', '--apps=a,b,a', '--name=x', 'create']), {
    verb: 'create',
    request: { name: 'x', scopes: ['message', 'device'], appIds: ['a', 'b'] },
  })
  t.same(readCommand(['list']), { verb: 'list' })
  t.same(readCommand(['quotas']), { verb: 'quotas' })
  t.same(readCommand(['quota', '--key', 'push_0', '--rate', '50']), {
    verb: 'quota',
    subject: { keyId: 'push_0' },
    change: { messagesPerSecond: 50, burst: undefined, backlog: undefined },
  })
  t.same(readCommand(['quota', '--app=a', '--burst', 'default', '--backlog=1000']), {
    verb: 'quota',
    subject: { appId: 'a' },
    change: { messagesPerSecond: undefined, burst: null, backlog: 1000 },
  })
  t.same(readCommand(['revoke', 'push_0']), { verb: 'revoke', id: 'push_0' })
  for (const [args, text] of [
    [[], 'One of create, list, revoke, quota and quotas'],
    [['make'], 'One of create, list, revoke, quota and quotas'],
    [['create', '--scopes', 'message'], '--name is required'],
    [['create', '--scopes', 'message', '--name', 'x'.repeat(256)], '--name is required, up to 255'],
    [['create', '--name', 'x'], '--scopes requires'],
    [['create', '--name', 'x', '--scopes', 'message,everything'], 'There is no scope everything'],
    [[...create, '--apps', ''], '--apps requires a list'],
    [[...create, '--apps', 'a,,b'], '--apps requires a list'],
    [[...create, '--apps'], '--apps'],
    [[...create, '--force'], '--force'],
    [['create', 'x'], 'One of create, list, revoke, quota and quotas'],
    [['list', '--name', 'x'], 'go with create'],
    [['list', '--rate', '1'], 'go with quota'],
    [['quota', '--rate', '1', '--name', 'x'], 'go with create'],
    [['quota', '--rate', '1'], '--key or --app is required'],
    [['quota', '--app', '', '--rate', '1'], '--key or --app is required'],
    [['quota', '--app', 'a', '--key', 'k', '--rate', '1'], '--key and --app exclude each other'],
    [['quota', '--key', 'k', '--backlog', '1'], '--backlog goes with --app'],
    [['quota', '--app', 'a'], '--rate, --burst or --backlog is required'],
    [['quota', '--app', 'a', '--rate', '0'], '--rate takes a whole number from 1'],
    [['quota', '--app', 'a', '--burst', '1.5'], '--burst takes a whole number from 1'],
    [['quota', '--app', 'a', '--backlog', '2147483648'], '--backlog takes a whole number from 1 to 2147483647'],
    [['revoke'], 'Which key'],
    [['revoke', 'a', 'b'], 'What is b?'],
  ] as const)
    t.throws(() => readCommand(args), { name: 'ConfigError', message: new RegExp(`${text}[^]*Scopes: device`) }, text)
})

t.test('makes, lists and revokes keys, in a database that nobody has migrated', async (t) => {
  const database = await createDatabase()
  t.teardown(() => database.close())
  const command = (...args: string[]) =>
    run(process.execPath, [LAUNCHER, ...args], { env: { DATABASE_URL: database.url } })
  const fails = async (args: string[], text: string) => {
    const { code, stderr, stdout } = await command(...args).catch((error) => error)
    t.same([code, stdout], [1, ''], args.join(' '))
    t.ok(stderr.includes(text) && !stderr.includes('    at '), stderr)
  }
  const create = ['create', '--name', 'Back end', '--scopes', 'message,device']
  await fails([...create, '--apps', 'mobile-app'], 'There is no application mobile-app')
  t.same(await database.query('SELECT 1 FROM api_keys'), [])
  await database.query(`INSERT INTO applications (app_id) VALUES ('mobile-app')`)

  const { stdout } = await command(...create, '--apps', 'mobile-app')
  t.match(stdout, /^push_[0-9a-f]{16}\.[\w-]{43}\n$/, 'the key, and nothing else')
  const [id = '', secret = ''] = stdout.trim().split('.')
  const listed = (await command('list')).stdout
  t.match(listed, new RegExp(`^${id} +Back end +message,device +mobile-app .* never +in force$`, 'm'))
  t.notOk(listed.includes(secret))

  await command('revoke', id)
  t.match((await command('list')).stdout, new RegExp(`^${id} .* revoked `, 'm'))
  await fails(['revoke', id], `No key in force has the id ${id}`)
})

t.test('sets and shows quotas', async (t) => {
  const database = await createDatabase()
  t.teardown(() => database.close())
  await migrate(database.url)
  const store = openApiKeyStore({ url: database.url, onError: (error) => t.fail(error.message) })
  t.teardown(() => store.close())
  const texts: string[] = []
  const write = (text: string) => texts.push(text)
  const command = async (...args: string[]) => {
    texts.length = 0
    await perform(readCommand(args), store, { stdout: { write }, stderr: { write } })
    return texts.join('')
  }
  await database.query(`INSERT INTO applications (app_id) VALUES ('mobile-app')`)
  const made = await command('create', '--name', 'Back end', '--scopes', 'message')
  const id = /push_[0-9a-f]+/.exec(made)?.[0] ?? ''

  await command('quota', '--key', id, '--rate', '50')
  await command('quota', '--key', id, '--burst', '200')
  await command('quota', '--app', 'mobile-app', '--rate', '10', '--backlog', '1000')
  const quotas = await command('quotas')
  t.match(quotas, new RegExp(`^${id} +50 +200 +default$`, 'm'))
  t.match(quotas, /^ +mobile-app +10 +default +1000$/m)
  await command('quota', '--app', 'mobile-app', '--rate', 'default', '--backlog', 'default')
  t.notMatch(await command('quotas'), 'mobile-app')
  t.equal((await database.query('SELECT 1 FROM quotas')).length, 1, 'nothing stands where nothing differs')
  await t.rejects(command('quota', '--key', 'push_0', '--rate', '1'), /No key in force has the id push_0/)
  await t.rejects(command('quota', '--app', 'nowhere', '--rate', '1'), /There is no application nowhere/)
  await command('revoke', id)
  await t.rejects(command('quota', '--key', id, '--rate', '1'), /No key in force/)
  t.notMatch(await command('quotas'), id)
})

t.test('without DATABASE_URL, and nothing of npm start there', async (t) => {
  const env = { DATA_DIR: join(t.testdir({}), 'none') }
  const { stderr } = await run(process.execPath, [LAUNCHER, 'list'], { env }).catch((error) => error)
  t.match(stderr, /DATABASE_URL: required, but not given/)
})

// The command as a person runs it, and its command line as a table.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createDatabase } from '@push-server/testing'
import t from 'tap'
import { readCommand } from '../src/command.ts'

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
  t.same(readCommand(['revoke', 'push_0']), { verb: 'revoke', id: 'push_0' })
  for (const [args, text] of [
    [[], 'One of create, list and revoke'],
    [['make'], 'One of create, list and revoke'],
    [['create', '--scopes', 'message'], '--name is wanted'],
    [['create', '--scopes', 'message', '--name', 'x'.repeat(256)], '--name is wanted, up to 255'],
    [['create', '--name', 'x'], '--scopes is wanted'],
    [['create', '--name', 'x', '--scopes', 'message,everything'], 'There is no scope everything'],
    [[...create, '--apps', ''], '--apps is wanted as a list'],
    [[...create, '--apps', 'a,,b'], '--apps is wanted as a list'],
    [[...create, '--apps'], '--apps'],
    [[...create, '--force'], '--force'],
    [['create', 'x'], 'One of create, list and revoke'],
    [['list', '--name', 'x'], 'go with create'],
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

t.test('without DATABASE_URL, and nothing of npm start there', async (t) => {
  const env = { DATA_DIR: join(t.testdir({}), 'none') }
  const { stderr } = await run(process.execPath, [LAUNCHER, 'list'], { env }).catch((error) => error)
  t.match(stderr, /DATABASE_URL: wanted, and not given/)
})

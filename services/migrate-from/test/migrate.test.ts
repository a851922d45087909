// The way of each version, by the command lines of docs/migrating.md word for word: what was moved is pushed to, a repeated run keeps
// everything, an interrupted one is completed by the next, and the old database is left as it was.
import { execFile, spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { bound, endProcess, openTestStack, waitFor, type TestStack } from '@push-server/testing'
import { readCommand } from '../src/command.ts'
import { migrate } from '../src/migrate.ts'
import { CAMPAIGNS, createOldDatabase, LETTERS, type OldDatabase } from './_old-database.ts'
import type { SourceVersion } from '../src/source.ts'

t.setTimeout(1_200_000)
const ROOT = join(import.meta.dirname, '../../..')
const LONG = process.env.TEST_LONG !== undefined && process.env.HTTP2_TRANSPORT !== 'node'

const guide = await readFile(join(ROOT, 'docs/migrating.md'), 'utf8')
const documented = [...guide.matchAll(/^```sh migrate-from\n(.*)\n```$/gm)].map(([, line = '']) => line)
const [DRY_RUN = '', MOVE = '', CHECK = ''] = documented

t.test('the guide has a command for each step', async (t) => {
  t.equal(documented.length, 3)
  t.match(documented, [/--dry-run$/, /--target/, /--check/])
})

interface Ran {
  code: number
  lines: string
}

/** What a shell does with the line of the guide. */
async function paste(line: string, variables: Record<string, string>): Promise<Ran> {
  const options = { cwd: ROOT, env: { ...process.env, ...variables } }
  const run = promisify(execFile)('bash', ['-euc', line], options)
  return run.then(
    ({ stdout }) => ({ code: 0, lines: stdout }),
    ({ code, stdout, stderr }) => ({ code, lines: `${stdout}${stderr}` }),
  )
}

/** The same without a shell. */
async function runHere(args: readonly string[]): Promise<Ran> {
  const lines: string[] = []
  const isDone = await migrate(readCommand(args, {}), (line) => lines.push(line))
  return { code: isDone ? 0 : 1, lines: lines.join('\n') }
}

const ZONES: Record<SourceVersion, string> = { '1.7': 'America/New_York', '1.9': 'Europe/Prague', '1.10': 'UTC' }
/** 12:00 there, on 8 July. */
const NOON: Record<SourceVersion, string> = { '1.7': '16', '1.9': '10', '1.10': '12' }

async function openBoth(t: Test, version: SourceVersion) {
  const old = await createOldDatabase(version)
  t.teardown(old.close)
  const stack = await openTestStack()
  t.teardown(() => stack.close())
  return { old, stack, variables: { source: old.url, target: stack.api.url, zone: ZONES[version] } }
}

/** Every application sends to all of its users; the fakes have to get it for each device. */
async function sendToAll(t: Test, { simulator, api }: TestStack, reachable: OldDatabase['reachable']): Promise<void> {
  for (const [appId, { users, pushes }] of Object.entries(reachable)) {
    const before = simulator.pushes.length
    for (const userId of users) {
      const message = { userId, body: { title: 'Hello', body: 'there' } }
      const sent = await api.post('/push/message/send', { appId, mode: 'SYNCHRONOUS', message })
      t.equal(sent.status, 200, `${appId}, ${userId}`)
    }
    await waitFor(`the pushes of ${appId}`, () => simulator.pushes.length >= before + pushes.length)
    const received = simulator.pushes.slice(before).map(({ platform, token }) => `${platform} ${token}`)
    t.same(received.toSorted(), pushes.toSorted(), appId)
  }
}

async function applicationsAreRight(t: Test, { api }: TestStack): Promise<void> {
  const detail = async (appId: string) =>
    (await api.post('/admin/app/detail', { appId, includeIos: true })).body.responseObject
  t.match(await detail('Bank "A"'), {
    application: { ios: true, android: true, huawei: true },
    iosBundle: 'some.bundle',
    iosKeyId: 'KEYID12345',
    iosEnvironment: 'production',
  })
  t.match((await detail('without-credentials')).application, { ios: false, android: false, huawei: false })
  t.match((await detail('damaged')).application, { ios: false, android: true })
  t.match((await detail('removed-there')).application, { ios: false, android: true }, 'stale columns are not read')
}

async function restIsRight(t: Test, { api }: TestStack, version: SourceVersion): Promise<void> {
  const time = `2024-07-08T${NOON[version]}:00:00.123+00:00`
  const campaign = await api.get(`/push/campaign/${CAMPAIGNS.unsent}/detail`)
  t.match(campaign.body.responseObject, {
    sent: false,
    message: { title: 'Hello', extras: { n: 1 } },
    timestampCreated: time,
  })
  const users = await api.get(`/push/campaign/${CAMPAIGNS.unsent}/user/list`)
  t.same(users.body.responseObject.users, ['user-2', 'user-3'])
  for (const id of [CAMPAIGNS.sent, CAMPAIGNS.orphan])
    t.equal((await api.get(`/push/campaign/${id}/detail`)).status, 400)
  const letter = async (id: string) => (await api.get(`/inbox/messages/detail?messageId=${id}`)).body.responseObject
  t.match(await letter(LETTERS.read), {
    type: 'text',
    body: 'Line 1\nLine "2" ü',
    read: true,
    timestampCreated: time,
    timestampRead: `2024-07-08T${Number(NOON[version]) + 1}:00:00.000+00:00`,
    applications: ['Bank "A"', 'other-bank'],
  })
  t.match(await letter(LETTERS.unread), { type: 'html', read: false, applications: ['Bank "A"'] })
  t.match(await letter(LETTERS.hidden), { code: 'ERROR_MESSAGE_NOT_FOUND' })
}

for (const version of ['1.7', '1.9', '1.10'] as const)
  t.test(`from ${version}, in ${ZONES[version]}`, async (t) => {
    const { old, stack, variables } = await openBoth(t, version)
    const before = await old.fingerprint()
    const args = ['--source', old.url, '--target', stack.api.url, '--zone', ZONES[version]]

    const shown = version === '1.10' ? await paste(DRY_RUN, variables) : await runHere([...args, '--dry-run'])
    t.equal(shown.code, 0)
    t.same((await stack.api.get('/admin/app/list')).body.responseObject.applicationList, [], 'nothing was moved')
    const [first = ''] = shown.lines.split('\n').filter((line) => /^ {2}[A-Z_]+:/.test(line))
    t.match(first, /APNS_USE_DEVELOPMENT: true there, false here/, 'the setting of development pushes comes first')
    for (const text of [
      version === '1.10' ? 'ROOT_COMPATIBILITY=1.10' : '  COMPATIBILITY=1.9',
      'It decides about 1 iOS devices',
      'not moved: 1 without activation',
      'not moved: 1 without user',
      'not moved: 1 whose application has no row',
      'not moved: 1 that no application shows',
      'not moved: 1 that were sent',
      'not moved: 1 of campaigns that were sent',
      'not moved: 1 whose campaign has no row',
      'of these 1 without credentials',
    ])
      t.ok(shown.lines.includes(text), text)

    const moved = await paste(MOVE, variables)
    t.equal(moved.code, 1, 'some lines are refused')
    for (const text of ['activation n3', 'activation n4', 'apnsPrivateKeyBase64', 'such as damaged'])
      t.ok(moved.lines.includes(text), text)
    t.notMatch(moved.lines, /differs|PRIVATE KEY|se"cret|not hexadecimal \w/)
    t.ok(moved.lines.includes('devices (Bank "A", android): 3 sent, 0 new, 0 changed, 3 kept, 0 refused'), moved.lines)

    await applicationsAreRight(t, stack)
    await restIsRight(t, stack, version)
    await sendToAll(t, stack, old.reachable)
    t.equal(await old.fingerprint(), before, 'the source is untouched')

    // The people in charge have mended what was refused, and a user has read a message here.
    await old.query(`DELETE FROM push_device_registration WHERE activation_id IN ('n3', 'n4')`)
    const key = version === '1.10' ? 'apns_private_key' : 'ios_private_key'
    await old.query(`UPDATE push_app_credentials SET ${key} = NULL WHERE app_id = 'damaged'`)
    await stack.api.call('PUT', `/inbox/messages/read?id=${LETTERS.unread}`)
    const second = await runHere(args)
    t.equal(second.code, 0, second.lines)
    t.notMatch(second.lines, /[1-9]\d* (new|changed|refused)/, 'all is kept')
    t.match((await stack.api.get(`/inbox/messages/detail?messageId=${LETTERS.unread}`)).body.responseObject, {
      read: true,
    })
  })

t.test('a run that breaks off is completed by the next', async (t) => {
  const { old, stack, variables } = await openBoth(t, '1.10')
  let imports = 0
  const stuck = Promise.withResolvers<void>()
  // Passes the first imports on, and keeps the response to the third for itself.
  const proxy = createServer((request, response) => {
    imports += 1
    const isLast = imports === 3
    const body: Buffer[] = []
    request.on('data', (piece: Buffer) => body.push(piece))
    request.on('end', () => {
      const { method = 'GET', url = '', headers } = request
      const type = headers['content-type'] ?? ''
      const passOn = async () => {
        const init = { body: Buffer.concat(body).toString(), headers: { 'content-type': type } }
        const passed = await stack.api.call(method, url, init)
        if (isLast) stuck.resolve()
        else response.writeHead(passed.status, { 'content-type': 'application/json' }).end(JSON.stringify(passed.body))
      }
      void passOn()
    })
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  t.teardown(() => proxy.closeAllConnections())
  t.teardown(() => proxy.close())
  const { port } = proxy.address() as { port: number }
  const program = ['services/migrate-from/src/main.ts', '--source', old.url, '--target', `http://127.0.0.1:${port}`]
  const child = bound(spawn(process.execPath, program, { cwd: ROOT, stdio: 'ignore' }))
  await stuck.promise
  await endProcess(child, 'SIGKILL')
  t.equal(
    (await stack.api.get(`/push/campaign/${CAMPAIGNS.unsent}/detail`)).status,
    400,
    'it did not come to the campaigns',
  )
  const { lines } = await runHere(['--source', old.url, '--target', variables.target])
  t.notMatch(lines, /differs/)
  await restIsRight(t, stack, '1.10')
  await sendToAll(t, stack, old.reachable)
})

t.test('what the target refuses ends the command with what to do', async (t) => {
  const { old, stack } = await openBoth(t, '1.9')
  await t.rejects(runHere(['--source', old.url, '--target', `${stack.api.url}/nowhere`]), {
    message: /404: .*base of the API/,
  })
  const empty = await createOldDatabase('1.7')
  t.teardown(empty.close)
  await empty.query('DROP TABLE push_inbox')
  await t.rejects(runHere(['--source', empty.url, '--target', stack.api.url]), { message: /not the tables/ })
  for (const [args, message] of [
    [[], /--source is required/],
    [['--source', 'postgresql://x', '--zone', '+02:00'], /--zone takes a name/],
    [['--source', 'postgresql://x', '--zone', 'Nowhere/City'], /--zone takes a name/],
    [['--source', './folder', '--zone', 'Europe/Prague'], /--zone goes with a database/],
    [['--source', './folder', '--target', 'ftp://x'], /--target takes an address/],
    [['--sauce', 'x'], /Unknown option/],
  ] as const)
    t.throws(() => readCommand(args, {}), { message })
})

t.test('200 000 devices', { skip: !LONG && 'takes minutes: npm run test:long' }, async (t) => {
  const { old, stack, variables } = await openBoth(t, '1.10')
  await old.query(
    `INSERT INTO push_device_registration SELECT 1000 + n, 'many-' || n, 'many-' || n % 100000, 1 + n % 2,
       CASE n % 3 WHEN 0 THEN 'apns' WHEN 1 THEN 'ios' ELSE 'fcm' END, lpad(to_hex(n), 64, '0'), now() - interval '1 day', true, NULL
     FROM generate_series(1, 200000) AS n`,
  )
  const { lines } = await paste(MOVE, variables)
  t.notMatch(lines, /differs/)
  const [row] = await stack.database.query(`SELECT count(*)::int AS n FROM devices WHERE activation_id LIKE 'many-%'`)
  t.same(row, { n: 200_000 })
})

t.ok(CHECK.includes('--check "$clients"'))

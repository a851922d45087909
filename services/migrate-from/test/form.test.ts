// `--check`: each base of a gateway in each form, compared with what clients of each version know.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { FORMS } from '@push-server/contract'
import { makeApiKey, openTestStack } from '@push-server/testing'
import { readCommand } from '../src/command.ts'
import { migrate } from '../src/migrate.ts'
import { VERSIONS } from '../src/source.ts'

t.setTimeout(300_000)
const PREFIX = '/powerauth-push-server'

const folder = await mkdtemp(join(tmpdir(), 'push-source-'))
t.teardown(() => rm(folder, { recursive: true }))

async function check(version: string, base: string, key?: string) {
  await writeFile(join(folder, 'source.json'), JSON.stringify({ version }))
  const lines: string[] = []
  const command = readCommand(['--source', folder, '--check', base], { PUSH_API_KEY: key })
  const isDone = await migrate(command, (line) => lines.push(line))
  return { isDone, text: lines.join('\n') }
}

for (const form of FORMS)
  t.test(`a gateway whose responses have the form ${form}`, async (t) => {
    const environment = { COMPATIBILITY: form, ROOT_COMPATIBILITY: form }
    const stack = await openTestStack({ services: ['gateway'], environment })
    t.teardown(() => stack.close())
    const { url } = stack.api
    await t.rejects(check('1.9', url), { message: /move the data first/ })
    await stack.configure()
    for (const version of VERSIONS) {
      const known = version === '1.10' ? '1.10' : '1.9'
      for (const [base, setting] of [
        [url, 'ROOT_COMPATIBILITY'],
        [`${url}/`, 'ROOT_COMPATIBILITY'],
        [url + PREFIX, 'COMPATIBILITY'],
      ] as const) {
        const { isDone, text } = await check(version, base)
        t.equal(isDone, form === known, `${version} at ${base}`)
        if (!isDone) t.match(text, new RegExp(`: set ${setting}=${known}$`))
      }
    }
  })

t.test('by default clients of 1.10 and later need nothing below the prefix; a key is sent', async (t) => {
  const stack = await openTestStack({ services: ['gateway'], environment: { AUTH: 'keys' } })
  t.teardown(() => stack.close())
  await stack.configure()
  const key = await makeApiKey(stack.context, { scopes: ['admin'] })
  const expected = [
    ['1.10', PREFIX, undefined],
    ['1.10', '', 'ROOT_COMPATIBILITY=1.10'],
    ['1.9', PREFIX, 'COMPATIBILITY=1.9'],
    ['1.9', '', 'ROOT_COMPATIBILITY=1.9'],
    ['1.7', PREFIX, 'COMPATIBILITY=1.9'],
    ['1.7', '', 'ROOT_COMPATIBILITY=1.9'],
  ] as const
  for (const [version, path, setting] of expected) {
    const { isDone, text } = await check(version, stack.api.url + path, key)
    t.same([isDone, /set (\S+)$/.exec(text)?.[1]], [setting === undefined, setting])
  }
  await t.rejects(check('1.9', stack.api.url), { message: /401: PUSH_API_KEY/ })
  const other = createServer((_, response) =>
    response.setHeader('content-type', 'application/json').end('{"status":"OK"}'),
  )
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  t.teardown(() => other.close())
  const { port } = other.address() as { port: number }
  await t.rejects(check('1.9', `http://127.0.0.1:${port}`), {
    name: 'ConfigError',
    message: /is not the base of this API/,
  })
  const weak = await makeApiKey(stack.context, { scopes: ['message'] })
  await t.rejects(check('1.9', stack.api.url, weak), { message: /403: .*scope admin/ })
})

// Clients in other languages, by generators that come through their registries, and random requests by another tool. They take minutes, so
// `npm run test:long` has them; what this machine lacks is left out, with its reason.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { makeApiKey } from '@push-server/testing'
import { APP, openGateway } from './_gateway.ts'
import { JAVA, OPENAPI_GENERATOR_PYTHON, OPENAPI_PYTHON_CLIENT, SCHEMATHESIS_HOOKS } from './_generated-programs.ts'

// What the API does is the same over the other transport.
const LONG = process.env.TEST_LONG !== undefined && process.env.HTTP2_TRANSPORT !== 'node'
t.setTimeout(1_800_000)

/** Kept between runs. */
const TOOLS = fileURLToPath(new URL('../../../.data/generators', import.meta.url))
const GENERATOR = 'org.openapitools:openapi-generator-cli:7.17.0'
const CLASSPATH = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath'
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy'
const PACKAGES = [
  'openapi-python-client==0.29.1',
  'schemathesis==4.32.5',
  // What the client of OpenAPI Generator stands on.
  'urllib3>=2.1.0,<3.0.0',
  'python-dateutil>=2.8.2',
  'pydantic>=2.11',
]
const SEED = '1'
/** Requests to an operation, of each kind. */
const EXAMPLES = '10'
const LARGEST_OUTPUT = 64 * 1024 * 1024

const execute = promisify(execFile)
interface Options {
  cwd?: string
  env?: NodeJS.ProcessEnv
}
const run = async (command: string, args: readonly string[], options: Options = {}) =>
  (await execute(command, args, { ...options, encoding: 'utf8', maxBuffer: LARGEST_OUTPUT })).stdout

/** Why the tests of a tool are left out, or false. */
async function lacking(name: string, fetchTool: () => Promise<unknown>): Promise<string | false> {
  if (!LONG) return `${name} runs in npm run test:long`
  await mkdir(TOOLS, { recursive: true })
  try {
    await fetchTool()
    return false
  } catch (error) {
    return `${name} is not to be had here: ${(error as Error).message.split('\n')[0] ?? ''}`
  }
}

const jar = join(TOOLS, 'openapi-generator-cli-7.17.0.jar')
const python = (program: string) => join(TOOLS, 'python/bin', program)
const noGenerator = await lacking('OpenAPI Generator', async () => {
  await run('java', ['-version'])
  await run('mvn', ['-q', '-B', COPY, `-Dartifact=${GENERATOR}`, `-DoutputDirectory=${TOOLS}`])
})
const noPython = await lacking('Python', async () => {
  await run('python3', ['-m', 'venv', join(TOOLS, 'python')])
  await run(python('pip'), ['install', '--quiet', ...PACKAGES])
})

const folder = await mkdtemp(join(tmpdir(), 'push-generators-'))
t.teardown(() => rm(folder, { recursive: true }))
const described = join(folder, 'openapi.json')

interface Target {
  url: string
  key: string
  close(): Promise<void>
}

/** A gateway, and its description in the file; opened by the first test that is not left out. */
async function openTarget(): Promise<Target> {
  const { api, stack } = await openGateway({ AUTH: 'keys' })
  const key = await makeApiKey(stack.context, { scopes: ['admin', 'device', 'message', 'campaign', 'inbox'] })
  await writeFile(described, JSON.stringify((await api.get('/v3/api-docs')).body))
  return { url: api.url, key, close: () => stack.close() }
}
let opened: Promise<Target> | undefined
const target = () => (opened ??= openTarget())
t.teardown(async () => (await opened)?.close())

const generate = (generator: string, output: string) =>
  run('java', ['-jar', jar, 'generate', '-g', generator, '-i', described, '-o', output])

/** What each program prints: a device, an import, a message, and two errors. */
const expected = (name: string) => [
  'keyless ERROR_UNAUTHORIZED',
  'registered OK',
  'imported 1',
  `devices ${name}-imported ${name}`,
  'sent ASYNCHRONOUS 1',
  'refused ERROR_GENERIC Application credentials with entered ID: nowhere does not exist',
]
const linesOf = (text: string) => text.trim().split('\n')

t.test('OpenAPI Generator: a client in Java compiles and is used', { skip: noGenerator }, async (t) => {
  const { url, key } = await target()
  const output = join(folder, 'java')
  await generate('java', output)
  await writeFile(join(output, 'src/main/java/Main.java'), JAVA)
  const build = ['-q', '-B', '-Dmaven.test.skip=true', 'compile', CLASSPATH, '-Dmdep.outputFile=classpath']
  await run('mvn', build, { cwd: output })
  const libraries = (await readFile(join(output, 'classpath'), 'utf8')).trim()
  const classes = [join(output, 'target/classes'), libraries].join(delimiter)
  const printed = await run('java', ['-cp', classes, 'Main', url, key, APP, folder])
  t.same(linesOf(printed), expected('java'))
})

t.test('OpenAPI Generator: a client in Python is used', { skip: noGenerator || noPython }, async (t) => {
  const { url, key } = await target()
  const output = join(folder, 'python')
  await generate('python', output)
  await writeFile(join(output, 'main.py'), OPENAPI_GENERATOR_PYTHON)
  const printed = await run(python('python'), ['main.py', url, key, APP], { cwd: output })
  t.same(linesOf(printed), expected('python'))
})

t.test('openapi-python-client: a client in Python is used, with every operation', { skip: noPython }, async (t) => {
  const { url, key } = await target()
  const output = join(folder, 'push')
  const args = ['generate', '--path', described, '--output-path', output]
  const { stdout, stderr } = await execute(python('openapi-python-client'), args)
  // It takes bytes by one name alone, and says so of the other.
  const left = linesOf(stdout + stderr).filter((line) => /unsupported|skipped|cannot/i.test(line))
  t.same(new Set(left), new Set(['Unsupported content type application/x-ndjson']))
  await writeFile(join(output, 'main.py'), OPENAPI_PYTHON_CLIENT)
  const printed = await run(python('python'), ['main.py', url, key, APP], { cwd: output })
  t.same(linesOf(printed), expected('client'))
})

/** Without a worker they respond with 503, after a wait. */
const WAITS_FOR_A_WORKER = '^check'
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
]

t.test('schemathesis: every response is as described', { skip: noPython }, async (t) => {
  const { url, key } = await target()
  await writeFile(join(folder, 'hooks.py'), SCHEMATHESIS_HOOKS)
  const args = ['run', described, '--url', url, '--header', `Authorization: Bearer ${key}`, '--seed', SEED]
  // A slow machine is no finding.
  const limits = ['--max-examples', EXAMPLES, '--checks', CHECKS.join(','), '--suppress-health-check', 'too_slow']
  const left = ['--exclude-operation-id-regex', WAITS_FOR_A_WORKER]
  const found = await execute(python('schemathesis'), [...args, ...limits, ...left, '--no-color'], {
    cwd: folder,
    env: { ...process.env, SCHEMATHESIS_HOOKS: 'hooks', PYTHONPATH: folder },
    maxBuffer: LARGEST_OUTPUT,
  }).then(
    () => 'nothing',
    (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
  )
  t.equal(found, 'nothing')
})

// What a newcomer does, on a fresh clone of HEAD with an empty home: `npm start`, the command it prints, Ctrl-C, and
// `npm start` again. Plain JavaScript, like all that runs before there is a Node.js for TypeScript.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** Limits for what hangs, not for what is slow: how long each took is printed. */
const START_WITHIN_S = 300
const STOP_WITHIN_S = 60
/** A command of one line, or of more when they end with a backslash. */
const COMMAND = /^curl (?:.*\\\n)*.*[^\\\n]\n/m

const run = promisify(execFile)
const repository = dirname(dirname(fileURLToPath(import.meta.url)))

const temporary = mkdtempSync(join(tmpdir(), 'push-server-smoke-'))
const clone = join(temporary, 'clone')
try {
  await run('git', ['clone', '--quiet', repository, clone])
  const [port, simulatorPort] = [await freePort(), await freePort()]
  const env = newcomersEnvironment({ PORT: port, SIMULATOR_PORT: simulatorPort })
  await firstStart(env, [port, simulatorPort])
  await secondStart(env)
} finally {
  rmSync(temporary, { recursive: true, force: true })
}

async function firstStart(env, ports) {
  const server = await start(env)
  try {
    const { stdout } = await run('bash', ['-c', server.command])
    assert.match(stdout, /"sent":1\b/, `the response to the printed command: ${stdout}`)
    const [, title] = /"title":"([^"]+)"/.exec(server.command) ?? []
    const phones = await (await fetch(`http://127.0.0.1:${ports[1]}/phones`)).text()
    assert.ok(title && phones.includes(title), `"${title}" is on a phone: ${phones}`)
    await server.stop()
    for (const port of ports) await assert.rejects(fetch(`http://127.0.0.1:${port}/`), `port ${port} is free again`)
    const pidFile = join(clone, '.data/postgres/cluster/data/postmaster.pid')
    assert.ok(!existsSync(pidFile), 'PostgreSQL stopped in good order')
    say(`first start, everything to be fetched  ${server.seconds.toFixed(1)} s`)
  } finally {
    await server.kill()
  }
}

async function secondStart(env) {
  const server = await start(env)
  try {
    await server.stop()
    say(`second start  ${server.seconds.toFixed(1)} s`)
  } finally {
    await server.kill()
  }
}

/** Starts the server and waits for the command that it prints. */
async function start(env) {
  const begin = performance.now()
  const child = spawn('npm', ['start'], { cwd: clone, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  // All who hold its output have ended then, not npm alone.
  const closed = once(child, 'close')
  let output = ''
  const command = new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text
        const [found] = COMMAND.exec(output) ?? []
        if (found) resolve(found)
      })
    }
    void closed.then(() => reject(new Error(`npm start ended:\n${output}`)))
  })
  const kill = async () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGTERM')
    await closed
  }
  try {
    const late = () => new Error(`npm start printed no command within ${START_WITHIN_S} s:\n${output}`)
    const found = await within(START_WITHIN_S, command, late)
    return { command: found, seconds: (performance.now() - begin) / 1000, stop, kill }
  } catch (error) {
    await kill()
    throw error
  }

  /** As Ctrl-C does: a signal to everyone in the foreground. */
  async function stop() {
    process.kill(-child.pid, 'SIGINT')
    await within(STOP_WITHIN_S, closed, () => new Error(`npm start did not stop within ${STOP_WITHIN_S} s:\n${output}`))
    assert.doesNotMatch(output, /\bError\b/, 'no error was printed')
  }
}

async function within(seconds, promise, late) {
  let timer
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(late()), seconds * 1000)
  })
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer))
}

/** Nothing of npm's that this may run under, no settings of the server, and a home where nothing is. */
function newcomersEnvironment(settings) {
  const home = join(temporary, 'home')
  mkdirSync(home)
  const kept = ['PATH', 'LANG', 'TMPDIR', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'NODE_EXTRA_CA_CERTS']
  const given = kept.filter((name) => process.env[name]).map((name) => [name, process.env[name]])
  return { ...Object.fromEntries(given), HOME: home, ...settings }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

function say(line) {
  process.stdout.write(`${line}\n`)
}

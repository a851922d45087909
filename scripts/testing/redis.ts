// The Redis of a test run: the one of REDIS_URL when it is available, else a server of our own that keeps nothing.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { quietly, step, StepFailed } from '../setup/step.mjs'

const RESPONSE_WITHIN_MS = 10_000
const PORT_ATTEMPTS = 5

export interface TestRedis {
  url: string
  stop(): Promise<void>
}

/** Undefined when there is no way to a Redis here. As root on a system with apt-get, installs the server first. */
export async function startRedis(given: string | undefined): Promise<TestRedis | undefined> {
  if (given && (await responds(given))) return { url: given, stop: async () => undefined }
  return (await runs('redis-server')) || (await install()) ? startServer() : undefined
}

async function install(): Promise<boolean> {
  if (process.getuid?.() !== 0 || !(await runs('apt-get'))) return false
  try {
    await step('Installing redis-server', installByApt)
    return true
  } catch (error) {
    if (error instanceof StepFailed) return false // it has said why
    throw error
  }
}

async function installByApt(): Promise<void> {
  // That run level starts no services: the program is required, not a server for the whole machine.
  const apt = (...args: string[]) =>
    quietly('env', ['DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1', 'apt-get', '-qq', ...args])
  await apt('update')
  await apt('install', '--yes', '--no-install-recommends', 'redis-server')
}

async function startServer(): Promise<TestRedis> {
  for (let attempt = 1; ; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const flags = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    const server = spawn('redis-server', flags, { stdio: ['ignore', 'pipe', 'ignore'], detached: true })
    if (await becomesReady(server)) return { url: `redis://127.0.0.1:${port}`, stop: () => stopServer(server) }
    if (attempt === PORT_ATTEMPTS) throw new Error(`redis-server did not start on any of ${PORT_ATTEMPTS} ports`)
  }
}

async function becomesReady(server: ChildProcess): Promise<boolean> {
  await once(server, 'spawn')
  if (!server.stdout) return false
  for await (const line of createInterface(server.stdout)) {
    if (!line.includes('Ready to accept connections')) continue
    server.stdout.resume()
    return true
  }
  return false
}

async function stopServer(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  server.kill('SIGTERM')
  await once(server, 'exit')
}

async function runs(program: string): Promise<boolean> {
  const child = spawn(program, ['--version'], { stdio: 'ignore' })
  return once(child, 'exit').then(
    ([code]) => code === 0,
    () => false,
  )
}

/** Whether a server at `url` accepts its credentials and responds to PING. */
export async function responds(url: string): Promise<boolean> {
  const { protocol, hostname, port, username, password } = new URL(url)
  const at = { host: hostname, port: Number(port || 6379) }
  const socket = protocol === 'rediss:' ? connectTls(at) : connectTcp(at)
  const credentials = [username, password].filter(Boolean).map(decodeURIComponent)
  if (credentials.length > 0) socket.write(command('AUTH', ...credentials))
  socket.write(command('PING'))
  const pong = async () => {
    for await (const response of socket.setEncoding('utf8')) {
      if (String(response).startsWith('-')) return false
      if (String(response).includes('+PONG')) return true
    }
    return false
  }
  try {
    return await Promise.race([pong().catch(() => false), sleep(RESPONSE_WITHIN_MS, false, { ref: false })])
  } finally {
    socket.destroy()
  }
}

/** https://redis.io/docs/latest/develop/reference/protocol-spec/ */
function command(...words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`
}

// The server process: reading its `postmaster.pid`, launching it and stopping it.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from './cluster.ts'
import { programEnvironment, type Command } from './programs.ts'

const POLL_MS = 10
const STOP_WITHIN_MS = 60_000

export interface Postmaster {
  pid: number
  port: number
  /** It wrote "ready" into its file. The file outlives a killed server, so this alone proves nothing. */
  ready: boolean
}

/** The lines of the file: https://www.postgresql.org/docs/18/storage-file-layout.html and miscadmin.h of the server. */
export async function readPostmaster(data: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  const lines = text.split('\n')
  return { pid: Number(lines[0]), port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' }
}

/** `busy`: another server, or the rest of a killed one, has the data folder. `port-taken`: another program has the port. */
export type Launched = 'ready' | 'busy' | 'port-taken'

export interface LaunchOptions {
  postgres: Command
  port: number
  settings: Readonly<Record<string, string>>
}

/** Launches a server and waits until it is ready or has ended. Recovery after a crash is not bounded in time. */
export async function launch(cluster: Cluster, { postgres, port, settings }: LaunchOptions): Promise<Launched> {
  const log = await open(cluster.log, 'a+', 0o600)
  try {
    const { size: logStart } = await log.stat()
    const [program, ...args] = postgres
    const all = { listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: '', ...settings }
    const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    // Detached: Ctrl-C reaches this program first, which stops PostgreSQL last.
    const child = spawn(program, [...args, '-D', cluster.data, ...flags], {
      env: programEnvironment(),
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
    })
    child.unref()
    if (await becomesReady(child, cluster.data)) return 'ready'
    const { buffer, bytesRead } = await log.read({ buffer: Buffer.alloc(64 * 1024), position: logStart })
    return explain(linesOf(child.pid, buffer.toString('utf8', 0, bytesRead)), cluster.log)
  } finally {
    await log.close()
  }
}

async function becomesReady(child: ChildProcess, data: string): Promise<boolean> {
  await once(child, 'spawn')
  while (child.exitCode === null && child.signalCode === null) {
    const postmaster = await readPostmaster(data)
    if (postmaster?.pid === child.pid && postmaster?.ready) return true
    await sleep(POLL_MS)
  }
  return false
}

/** Servers that start at the same time share the log. By default each line has its process in brackets. */
function linesOf(pid: number | undefined, log: string): string {
  const lines = log.split('\n').filter((line) => line.trim() !== '')
  const own = lines.filter((line) => line.includes(` [${pid}] `))
  return (own.length > 0 ? own : lines).slice(-8).join('\n')
}

function explain(lines: string, log: string): Launched {
  if (/lock file "postmaster.pid" (already exists|is empty)|pre-existing shared memory block/.test(lines)) return 'busy'
  if (/could not create any TCP\/IP sockets/.test(lines)) return 'port-taken'
  throw new Error(`PostgreSQL did not start (its log is ${log}):\n${lines}`)
}

/**
 * Ends all sessions, writes a checkpoint and waits until the server has ended. `pid` is its process as of joining: the file may have
 * been deleted since, with the whole folder.
 */
export async function stopPostmaster(data: string, pid: number): Promise<void> {
  const written = await readPostmaster(data)
  const server = written?.pid ?? pid
  if (!isAlive(server)) return
  process.kill(server, 'SIGINT')
  const deadline = Date.now() + STOP_WITHIN_MS
  while (isAlive(server)) {
    // An adopted server is no child of ours, so there is no exit to wait for. Where nothing reaps orphans its process stays as a
    // zombie. A server deletes its file last, so a missing file tells as well.
    if (written && (await readPostmaster(data))?.pid !== server) return
    if (Date.now() > deadline)
      throw new Error(`PostgreSQL (process ${server}) did not stop in ${STOP_WITHIN_MS / 1000} s`)
    await sleep(POLL_MS)
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

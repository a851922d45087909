// A command that run.mjs starts ends with it, in whatever way that ends.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { waitFor } from '../../packages/testing/src/index.ts'
import t from 'tap'

const root = join(import.meta.dirname, '../..')

/** Says who it is, and who its child is; both go on until they are ended. */
const SCRIPT = `import { fork } from 'node:child_process'
const isChild = process.argv.includes('child')
if (!isChild) console.log(process.pid, fork(import.meta.filename, ['child']).pid)
process.on('SIGTERM', () => process.exit(0))
setInterval(() => {}, 1000)
`

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

for (const signal of ['SIGKILL', 'SIGTERM'] as const)
  t.test(`${signal} of the process group of npm`, async (t) => {
    const folder = t.testdir({ 'script.mjs': SCRIPT })
    const parent = spawn(process.execPath, ['scripts/run.mjs', join(folder, 'script.mjs')], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    })
    const [line] = (await once(createInterface(parent.stdout), 'line')) as [string]
    const pids = line.split(' ').map(Number)
    t.teardown(() => pids.filter(isAlive).forEach((pid) => process.kill(pid, 'SIGKILL')))
    t.ok(pids.length === 2 && pids.every(isAlive), 'both run')
    process.kill(-(parent.pid ?? 0), signal)
    await waitFor('both to end', () => !pids.some(isAlive))
    t.pass('nothing is left')
  })

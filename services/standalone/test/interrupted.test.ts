// `npm start` that is interrupted at any moment of its start: nothing of it goes on, PostgreSQL least of all.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bound, freePort, waitFor } from '@push-server/testing'
import t from 'tap'

t.setTimeout(120_000)
const MAIN = join(import.meta.dirname, '../src/main.ts')

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** After the first of these files is there, and so long afterwards. */
const MOMENTS = [0, 300, 1200]

for (const after of MOMENTS)
  t.test(`Ctrl-C ${after} ms after PostgreSQL was launched`, async (t) => {
    const dataDir = t.testdir({})
    const [port, simulatorPort] = [await freePort(), await freePort()]
    const { PATH = '' } = process.env
    const child = bound(
      spawn(process.execPath, [MAIN], {
        env: { PATH, DATA_DIR: dataDir, PORT: String(port), SIMULATOR_PORT: String(simulatorPort) },
        stdio: ['ignore', 'ignore', 'pipe'],
      }),
    )
    let errors = ''
    child.stderr.on('data', (chunk) => (errors += String(chunk)))
    const ended = once(child, 'exit')
    const pidOf = () =>
      readFile(join(dataDir, 'postgres/cluster/data/postmaster.pid'), 'utf8').then(
        (text) => Number(text.split('\n')[0]),
        () => 0,
      )
    let postgres = 0
    await waitFor('PostgreSQL to be launched', async () => (postgres = await pidOf()) > 0)
    t.teardown(() => isAlive(postgres) && process.kill(postgres, 'SIGQUIT'))
    await new Promise((resolve) => setTimeout(resolve, after))
    child.kill('SIGINT')
    const [code] = (await ended) as [number | null]
    t.ok(code === 0 || code === 130, `exit code ${code}`)
    t.equal(errors, '')
    // Its file goes a moment before it does.
    await waitFor('PostgreSQL to stop', async () => (await pidOf()) === 0 && !isAlive(postgres))
  })

// A benchmark on a machine without redis-server: one sentence says what to install, and nothing that was started goes on.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { THIS_TREE } from '@push-server/testing'

t.test('without redis-server', async (t) => {
  // Whatever the benchmark starts is in its process group.
  const bench = spawn(process.execPath, ['bench/src/campaign.ts', '--quick'], {
    cwd: THIS_TREE.root,
    env: { ...process.env, PATH: t.testdir({}) },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const output = Promise.all([text(bench.stdout), text(bench.stderr)])
  const [code] = await once(bench, 'exit')
  t.equal(code, 1)
  const [stdout, stderr] = await output
  t.equal(stdout, '')
  t.match(stderr, /^redis-server could not be started\. Install it, .*\n$/, 'and no stack')
  t.throws(() => process.kill(-(bench.pid ?? 0), 0), { code: 'ESRCH' }, 'no process of it is left')
})

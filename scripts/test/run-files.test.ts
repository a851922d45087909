// What `npm test` makes of the processes of its test files: each ends in the report, however it ends itself.
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { runFiles } from '../testing/run-files.ts'
import { createTapReport } from '../testing/tap-report.ts'
import { longestFirst } from '../testing/test-files.ts'

const SAYS = `console.log('TAP version 14\\nok 1 - of job ' + process.env.TAP_JOB_ID + '\\n1..1')`

interface Run {
  jobs?: number
  timeoutMs?: number
  signal?: AbortSignal
}

/** Reports lines and totals of files with these contents. */
async function report(t: Test, contents: Record<string, string>, run: Run = {}) {
  const dir = t.testdir(contents)
  const lines: string[] = []
  const { parser, totals } = createTapReport((line) => lines.push(line.replaceAll(`${dir}/`, '')))
  const files = Object.keys(contents).map((name) => join(dir, name))
  const settings = { jobs: 1, timeoutMs: 60_000, signal: new AbortController().signal, ...run }
  await runFiles({ files, env: process.env, write: (tap) => void parser.write(tap), ...settings })
  parser.end()
  return { lines: lines.map((line) => line.replace(/[\d.]+ s$/, '0 s')), totals }
}

t.test('files that pass, fail, break and are left out', async (t) => {
  const { lines, totals } = await report(t, {
    'passes.mjs': SAYS,
    'fails.mjs': `console.log('TAP version 14\\nnot ok 1 - is\\n1..1'); process.exitCode = 1`,
    'breaks.mjs': 'process.exit(3)',
    'ends-badly.mjs': `${SAYS}; process.exitCode = 4`,
    'is-left-out.mjs': `console.log('TAP version 14\\n1..0 # not here')`,
  })
  t.same(lines, [
    '✔ passes.mjs  1 asserts  0 s',
    '✖ fails.mjs › is',
    '✖ fails.mjs  1 of 1 asserts failed  0 s',
    '✖ breaks.mjs',
    '✖ breaks.mjs  1 of 1 asserts failed  0 s',
    '    exitCode: 3',
    '✖ ends-badly.mjs',
    '✖ ends-badly.mjs  1 of 2 asserts failed  0 s',
    '    exitCode: 4',
    '- is-left-out.mjs  skipped: not here',
  ])
  t.match(totals, { passed: 2, failed: 3, skipped: 1 })
})

t.test('those that run at the same time have numbers of their own', async (t) => {
  // Each waits until the other one has started.
  const meets = (mine: string, other: string) => `import { existsSync, writeFileSync } from 'node:fs'
    const at = (name) => new URL(name, import.meta.url)
    writeFileSync(at('${mine}'), process.env.TAP_JOB_ID)
    const timer = setInterval(() => {
      if (!existsSync(at('${other}'))) return
      clearInterval(timer)
      ${SAYS}
    }, 10)`
  const { totals } = await report(t, { 'a.mjs': meets('a', 'b'), 'b.mjs': meets('b', 'a') }, { jobs: 2 })
  t.match(totals, { passed: 2, failed: 0 })
})

t.test('an interruption ends those that run and starts no other', async (t) => {
  const interruption = new AbortController()
  const hangs = `setInterval(() => {}, 1000); process.on('SIGTERM', () => process.exit(5))`
  const running = report(t, { 'hangs.mjs': hangs, 'never.mjs': SAYS }, { signal: interruption.signal })
  interruption.abort()
  const { lines, totals } = await running
  t.match(lines[0], /hangs\.mjs$/)
  t.notOk(lines.some((line) => line.includes('never.mjs')))
  t.equal(totals.passed, 0)
})

t.test('the longest files start first, each once', async (t) => {
  const crash = 'packages/testing/test/crash.test.ts'
  t.same(longestFirst(['b.test.ts', crash, 'a.test.ts', 'b.test.ts']), [crash, 'a.test.ts', 'b.test.ts'])
})

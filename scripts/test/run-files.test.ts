// What `npm test` makes of the processes of its test files: each ends in the report, however it ends itself.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { runFiles } from '../testing/run-files.ts'
import { createTapReport } from '../testing/tap-report.ts'
import { ALSO_SINGLY, longestFirst, type TestRun } from '../testing/test-files.ts'

const SAYS = `console.log('TAP version 14\\nok 1 - of job ' + process.env.TAP_JOB_ID + '\\n1..1')`

interface Run {
  /** Runs beside those of the files. */
  also?: TestRun[]
  jobs?: number
  timeoutMs?: number
  signal?: AbortSignal
}

/** Reports lines and totals of files with these contents. */
async function report(t: Test, contents: Record<string, string>, { also = [], ...run }: Run = {}) {
  const dir = t.testdir(contents)
  const lines: string[] = []
  const { parser, totals } = createTapReport((line) => lines.push(line.replaceAll(`${dir}/`, '')))
  const named = Object.keys(contents).map((file): TestRun => ({ file }))
  const files = [...named, ...also].map((each) => ({ ...each, file: join(dir, each.file) }))
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

t.test('a process that outlives its file ends with it', async (t) => {
  const leaves = `import { spawn } from 'node:child_process'
    spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' }).unref()
    ${SAYS}; process.exit(0)`
  const { lines } = await report(t, { 'leaves.mjs': leaves })
  t.same(lines, ['✔ leaves.mjs  1 asserts  0 s'])
})

t.test('a file that is run in two ways: each in its own environment, under its own name', async (t) => {
  const says = `const isOther = process.env.WAY === 'other'
    console.log('TAP version 14\\n' + (isOther ? 'not ok' : 'ok') + ' 1 - way\\n1..1')
    process.exitCode = isOther ? 1 : 0`
  const also = [{ file: 'a.mjs', how: 'the other way', env: { WAY: 'other' } }]
  const { lines } = await report(t, { 'a.mjs': says }, { also })
  t.same(lines, [
    '✔ a.mjs  1 asserts  0 s',
    '✖ a.mjs (the other way) › way',
    '✖ a.mjs (the other way)  1 of 1 asserts failed  0 s',
  ])
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

t.test('the longest files start first, each once in each way', async (t) => {
  const crash = { file: 'packages/testing/test/crash.test.ts' }
  const [a, b] = [{ file: 'a.test.ts' }, { file: 'b.test.ts' }]
  const other = { ...crash, how: 'the other way' }
  t.same(longestFirst([b, other, crash, a, { ...b }]), [crash, other, a, b])
})

t.test('what is run a second time is there, and is run with nothing to share', async (t) => {
  for (const { file, env } of ALSO_SINGLY) {
    t.ok(existsSync(file), file)
    t.match(env, { DIRECT_BATCH_REQUESTS: '1', DIRECT_BATCH_CHUNKS: '1' })
  }
})

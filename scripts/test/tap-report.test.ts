// What the closing line of `npm test` counts, and what is printed of a failure: a runner that prints too little hides one.
import t from 'tap'
import { createTapReport } from '../testing/tap-report.ts'

const diagnostics = (indent: string) => ['---', 'at: here.ts:1', '...'].map((line) => `${indent}${line}`)
const ofProcess = (...what: string[]) => ['  ---', '  command: node', ...what.map((line) => `  ${line}`), '  ...']

const cases = {
  'asserts are counted, the tests around them are not': {
    tap: [
      '# Subtest: a',
      '    # Subtest: x',
      '        ok 1 - is',
      '        1..1',
      '    ok 1 - x # time=1ms',
      '    ok 2',
      '    1..2',
      'ok 1 - a # time=1500ms',
    ],
    reported: ['✔ a  2 asserts  1.5 s'],
    totals: { passed: 2, failed: 0, skipped: 0 },
  },
  'a failure is printed once, with its path and diagnostics': {
    tap: [
      '# Subtest: a',
      '    # Subtest: x',
      '        not ok 1 - is',
      ...diagnostics('          '),
      '        1..1',
      '    not ok 1 - x # time=1ms',
      ...diagnostics('      '),
      '    1..1',
      'not ok 1 - a # time=0ms',
      ...ofProcess('exitCode: 1'),
    ],
    reported: ['✖ a › x › is', '    at: here.ts:1', '✖ a  1 of 1 asserts failed  0.0 s'],
    totals: { passed: 0, failed: 1, skipped: 0 },
  },
  'a file that ends with an error after its last assert has failed': {
    tap: [
      '# Subtest: a',
      '    ok 1 - is',
      '    1..1',
      'not ok 1 - a # time=0ms',
      ...ofProcess('exitCode: 3', 'signal: null'),
    ],
    reported: ['✖ a', '✖ a  1 of 2 asserts failed  0.0 s', '    exitCode: 3'],
    totals: { passed: 1, failed: 1, skipped: 0 },
  },
  'a file that tap ends for its time': {
    tap: ['# Subtest: a', '    ok 1 - is', '    1..1', 'not ok 1 - timeout!', ...ofProcess('expired: a')],
    reported: ['✖ a', '✖ a  1 of 2 asserts failed  0.0 s', '    expired: a'],
    totals: { passed: 1, failed: 1, skipped: 0 },
  },
  'skipped asserts, tests and files': {
    tap: [
      '# Subtest: a',
      '    ok 1 - one # SKIP no Redis',
      '    not ok 2 - two # TODO',
      '    1..2',
      'ok 1 - a # time=0ms',
      '# Subtest: b',
      '    1..0 # no Redis',
      'ok 2 - b # SKIP no Redis',
    ],
    reported: ['✔ a  0 asserts  0.0 s', '- b  skipped: no Redis'],
    totals: { passed: 0, failed: 0, skipped: 3 },
  },
  'names and output that look like TAP': {
    tap: [
      '# Subtest: a',
      '    ok 1 - \\# SKIP is no directive here',
      '    ok, said the program',
      '    # comment',
      '    ok 2 - has { and }',
      '    1..2',
      'ok 1 - a # time=0ms',
    ],
    reported: ['✔ a  2 asserts  0.0 s'],
    totals: { passed: 2, failed: 0, skipped: 0 },
  },
  'a run that gives up': {
    tap: ['# Subtest: a', '    Bail out! no database'],
    reported: ['✖ a › Bail out! no database'],
    totals: { passed: 0, failed: 1, skipped: 0 },
  },
}

for (const [name, { tap, reported, totals }] of Object.entries(cases)) {
  t.test(name, async (t) => {
    const lines: string[] = []
    const report = createTapReport((line) => lines.push(line))
    report.parser.end(`${tap.join('\n')}\n`)
    t.same(lines, reported)
    t.match(report.totals, totals)
  })
}

t.test('reasons for skipping are counted', async (t) => {
  const report = createTapReport(() => undefined)
  report.parser.end('ok 1 # SKIP no Redis\nok 2 - x # SKIP no Redis\nok 3 # TODO\n1..3\n')
  t.same(
    [...report.totals.skipReasons],
    [
      ['no Redis', 2],
      ['todo', 1],
    ],
  )
})

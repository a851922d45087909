// From the TAP of a whole run to one line a file, each failure with its diagnostics, and totals. tap's own reporters print
// nothing where CI is set, or call a file passed that exited with an error.
import { Parser, type Result } from 'tap-parser'
import { stringify } from 'yaml'

export interface Totals {
  passed: number
  failed: number
  skipped: number
  /** Why tests were skipped, with how many were. */
  skipReasons: Map<string, number>
}

interface Suite {
  name: string
  passed: number
  failed: number
}

/** Diagnostics of a test file's process that are printed; the rest is its command line. */
const OF_A_PROCESS = ['exitCode', 'signal', 'expired']

/** Write the output of tap to `parser`; `totals` counts its asserts as they come. */
export function createTapReport(print: (line: string) => void): { parser: Parser; totals: Totals } {
  const totals: Totals = { passed: 0, failed: 0, skipped: 0, skipReasons: new Map() }
  const parser = new Parser()
  watch(parser, [])
  return { parser, totals }

  /** `open` are the suites around an assert: a file, a test in it, a test in that. */
  function watch(parser: Parser, open: readonly Suite[]): void {
    let suite: Suite | undefined
    parser.on('child', (child: Parser) => {
      suite = { name: child.name, passed: 0, failed: 0 }
      watch(child, [...open, suite])
    })
    parser.on('assert', (result: Result) => {
      const ended = suite
      suite = undefined
      if (result.skip || result.todo) skip(ended?.name ?? result.name, result, open)
      else if (ended) close(ended, result, open)
      else if (result.ok) pass(open)
      else fail(result.name, open, result.diag)
    })
    parser.on('bailout', (reason: string) => {
      if (!suite) fail(`Bail out! ${reason}`, open)
    })
  }

  function pass(open: readonly Suite[]): void {
    totals.passed++
    for (const suite of open) suite.passed++
  }

  function fail(name: string, open: readonly Suite[], diagnostics?: object): void {
    totals.failed++
    for (const suite of open) suite.failed++
    print(`✖ ${[...open.map((suite) => suite.name), name].join(' › ')}`)
    if (open.length > 0) explain(diagnostics)
  }

  /** A suite fails with its tests, which were printed already, or of itself: a crash, a timeout, a wrong plan. */
  function close(suite: Suite, { ok, time, diag }: Result, open: readonly Suite[]): void {
    const failedItself = !ok && suite.failed === 0
    if (failedItself) {
      fail(suite.name, open, diag)
      suite.failed++
    }
    if (open.length > 0) return
    const asserts = suite.passed + suite.failed
    const outcome = ok ? `${asserts} asserts` : `${suite.failed} of ${asserts} asserts failed`
    print(`${ok ? '✔' : '✖'} ${suite.name}  ${outcome}  ${((time ?? 0) / 1000).toFixed(1)} s`)
    if (failedItself)
      explain(
        Object.fromEntries(Object.entries(diag ?? {}).filter(([name, value]) => OF_A_PROCESS.includes(name) && value)),
      )
  }

  function skip(name: string, { skip, todo }: Result, open: readonly Suite[]): void {
    const reason = [skip, todo].find((text) => typeof text === 'string') ?? (skip ? 'skip' : 'todo')
    totals.skipped++
    totals.skipReasons.set(reason, (totals.skipReasons.get(reason) ?? 0) + 1)
    if (open.length === 0) print(`- ${name}  skipped: ${reason}`)
  }

  function explain(diagnostics: object | undefined): void {
    if (diagnostics)
      for (const line of stringify(diagnostics, { lineWidth: 0 }).trimEnd().split('\n')) print(`    ${line}`)
  }
}

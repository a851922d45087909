// From the TAP of a whole run to one line a file, each failure with its diagnostics, and totals. tap's own reporters print
// nothing where CI is set, or call a file passed that exited with an error. Format: https://testanything.org

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

const INDENT = 4
const RESULT = /^(not )?ok \d+(?: - (.*?))?(?: # (SKIP|TODO)\b ?(.*?)| # time=([\d.]+)ms)*$/

/** Diagnostics of a test file's process that are printed; the rest is its command line. */
const OF_A_PROCESS = /^(exitCode|signal|expired): (?!null)/

/** Feed it the lines in order. */
export class TapReport {
  readonly totals: Totals = { passed: 0, failed: 0, skipped: 0, skipReasons: new Map() }
  /** What is open at each depth: a file, a test in it, a test in that. */
  #open: Suite[] = []
  #mayExplain = false
  #explaining = false
  readonly #print: (line: string) => void

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  line(raw: string): void {
    const text = raw.trimStart()
    if (this.#explaining || (this.#mayExplain && text === '---')) return this.#explain(raw)
    const depth = (raw.length - text.length) / INDENT
    if (text.startsWith('# Subtest: ')) return this.#openSuite(depth, text.slice('# Subtest: '.length))
    if (text.startsWith('Bail out!')) return this.#fail([text])
    const result = RESULT.exec(text)
    if (result && depth <= this.#open.length) this.#result(depth, result)
  }

  #openSuite(depth: number, name: string): void {
    this.#mayExplain = false
    this.#open.length = depth
    this.#open[depth] = { name, passed: 0, failed: 0 }
  }

  #result(depth: number, [, not, name = '', directive, reason = '', milliseconds]: RegExpExecArray): void {
    this.#mayExplain = false
    const suite = this.#open[depth]
    this.#open.length = depth
    if (suite && !directive) return this.#closeSuite(suite, Boolean(not), Number(milliseconds ?? 0))
    if (directive) return this.#skip(suite?.name ?? name, reason || directive.toLowerCase())
    if (not) return this.#fail([name])
    this.totals.passed++
    for (const each of this.#open) each.passed++
  }

  /** A suite fails with its tests, which were printed already, or of itself: a crash, a timeout, a wrong plan. */
  #closeSuite(suite: Suite, failed: boolean, milliseconds: number): void {
    if (failed && suite.failed === 0) {
      this.#fail([suite.name])
      suite.failed++
    }
    if (this.#open.length > 0) return
    const asserts = suite.passed + suite.failed
    const outcome = failed ? `${suite.failed} of ${asserts} asserts failed` : `${asserts} asserts`
    this.#print(`${failed ? '✖' : '✔'} ${suite.name}  ${outcome}  ${(milliseconds / 1000).toFixed(1)} s`)
  }

  #fail(path: string[]): void {
    this.totals.failed++
    for (const suite of this.#open) suite.failed++
    this.#print(`✖ ${[...this.#open.map(({ name }) => name), ...path].join(' › ')}`)
    this.#mayExplain = true
  }

  #skip(name: string, reason: string): void {
    this.totals.skipped++
    const { skipReasons } = this.totals
    skipReasons.set(reason, (skipReasons.get(reason) ?? 0) + 1)
    if (this.#open.length === 0) this.#print(`- ${name}  skipped: ${reason}`)
  }

  #explain(raw: string): void {
    const text = raw.trim()
    const isFence = text === '---' || text === '...'
    if (isFence) this.#explaining = text === '---'
    else if (this.#open.length > 0 || OF_A_PROCESS.test(text)) this.#print(`  ${raw.slice(this.#open.length * INDENT)}`)
  }
}

// Which test files the arguments of `npm test` name: files and patterns name themselves, a folder all tests in it. Which of all files are
// run a second time, and in which order they start.
import { globSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Throws when a path does not exist, or is a folder without tests: no file at all would mean every test to tap. */
export function testFilesOf(paths: readonly string[], root = '.'): string[] {
  return paths.flatMap((path) => {
    if (/[*?{]/.test(path)) return [path]
    const stats = statSync(join(root, path), { throwIfNoEntry: false })
    if (!stats) throw new Error(`There is no ${path}`)
    if (!stats.isDirectory()) return [path]
    const files = globSync('**/*.test.ts', { cwd: join(root, path), exclude: ['**/node_modules/**', '**/.data/**'] })
    if (files.length === 0) throw new Error(`There is no test in ${path}`)
    return files.toSorted().map((file) => join(path, file))
  })
}

/** A test file, and how it is run. */
export interface TestRun {
  file: string
  /** Added to its environment. */
  env?: Readonly<Record<string, string>>
  /** What stands beside the file in the report. */
  how?: string
}

/** Nothing shares a statement: each request is stored by itself, each chunk claimed and recorded by itself. */
export const SINGLY = {
  how: 'singly',
  env: { DIRECT_BATCH_REQUESTS: '1', DIRECT_BATCH_CHUNKS: '1' },
}

/** The way of a message, and the heaviest failures: what has to hold whether or not statements are shared, on one back end. */
export const ALSO_SINGLY: readonly TestRun[] = ['journeys', 'deaths'].map((name) => ({
  file: `packages/testing/test/${name}.test.ts`,
  how: SINGLY.how,
  env: { ...SINGLY.env, TEST_BACKEND: 'redis' },
}))

/** Those that take longest: started late, they would run alone in the end. */
const LONGEST = ['campaign-crash', 'deaths', 'failures', 'processes', 'campaigns', 'crash', 'fan-out'].map(
  (name) => `packages/testing/test/${name}.test.ts`,
)

const placeOf = ({ file }: TestRun) => (LONGEST.includes(file) ? LONGEST.indexOf(file) : LONGEST.length)
export const nameOf = ({ file, how }: TestRun) => (how === undefined ? file : `${file} (${how})`)

/** The order in which files are started; each comes once. */
export function longestFirst(runs: readonly TestRun[]): TestRun[] {
  const named = new Map(runs.map((run) => [nameOf(run), run]))
  return [...named.values()].toSorted((a, b) => placeOf(a) - placeOf(b) || (nameOf(a) < nameOf(b) ? -1 : 1))
}

// Which test files the arguments of `npm test` name: files and patterns name themselves, a folder all tests in it.
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

/** Those that take longest: started late, they would run alone in the end. */
const LONGEST = ['campaign-crash', 'failures', 'processes', 'campaigns', 'crash', 'fan-out'].map(
  (name) => `packages/testing/test/${name}.test.ts`,
)

/** The order in which files are started; each comes once. */
export function longestFirst(files: readonly string[]): string[] {
  const named = new Set(files)
  const longest = LONGEST.filter((file) => named.has(file))
  return [...new Set([...longest, ...[...named].toSorted()])]
}

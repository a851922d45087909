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

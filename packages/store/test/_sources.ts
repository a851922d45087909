// Sources of this repository as text, for tests that look for what no source may say.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** Every TypeScript file below the folders but generated ones, in the order of their paths. */
export const readSources = (folders: readonly string[]): { path: string; text: string }[] =>
  folders
    .flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: ROOT, exclude: (path) => path.includes('generated') }))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))

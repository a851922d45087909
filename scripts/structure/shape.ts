// The shape of the sources: how large files and functions are, how many floors a folder has, what stands in a circle. Pure, but for
// reading the sources.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { importsOf } from '../checks/layers.ts'

export interface Source {
  /** Relative to the root of the repository. */
  path: string
  lines: number
  /** Sources of the same folder or below the same package that it imports, by path. */
  imports: readonly string[]
  prismaCalls: number
}

const PRISMA_CALL =
  /\b(?:prisma|client|transaction)\.[a-z]\w*\.(?:find|create|update|upsert|delete|count|aggregate|groupBy)\w*\(/g

export function readSources(root: string): Source[] {
  const paths = globSync('{packages,services}/*/src/**/*.ts', { cwd: root, exclude: ['**/generated/**'] })
  return paths.toSorted().map((path) => {
    const text = readFileSync(join(root, path), 'utf8')
    const imports = importsOf(text).filter((specifier) => specifier.startsWith('.'))
    return {
      path,
      lines: text.split('\n').length - 1,
      imports: imports.map((to) => join(dirname(path), to)),
      prismaCalls: text.match(PRISMA_CALL)?.length ?? 0,
    }
  })
}

export interface FolderShape {
  folder: string
  files: number
  /** The longest chain of imports within the folder: 1 where no file imports another one. */
  floors: number
  /** Imports within the folder. */
  arrows: number
}

/** Folders with at least `least` files, in the order of their names. */
export function foldersOf(sources: readonly Source[], least = 2): FolderShape[] {
  const byFolder = Map.groupBy(sources, ({ path }) => dirname(path))
  return [...byFolder]
    .filter(([, files]) => files.length >= least)
    .map(([folder, files]) => ({ folder, files: files.length, ...floorsOf(files) }))
    .toSorted((a, b) => (a.folder < b.folder ? -1 : 1))
}

function floorsOf(files: readonly Source[]): { floors: number; arrows: number } {
  const inside = new Map(files.map((file) => [file.path, file]))
  const heights = new Map<string, number>()
  const below = ({ imports }: Source) => imports.flatMap((path) => inside.get(path) ?? [])
  const heightOf = (file: Source, above: ReadonlySet<string>): number => {
    const known = heights.get(file.path)
    if (known !== undefined) return known
    // A circle has no height of its own; `circlesOf` names it.
    const next = below(file).filter(({ path }) => !above.has(path))
    const height = 1 + Math.max(0, ...next.map((one) => heightOf(one, new Set([...above, file.path]))))
    heights.set(file.path, height)
    return height
  }
  const floors = Math.max(...files.map((file) => heightOf(file, new Set())))
  return { floors, arrows: files.reduce((sum, file) => sum + below(file).length, 0) }
}

/** Files that import each other, directly or over others: one list for each circle, in the order of the paths. */
export function circlesOf(sources: readonly Source[]): string[][] {
  const all = new Map(sources.map((source) => [source.path, source]))
  const reached = new Map(sources.map(({ path }) => [path, reachedFrom(path, all)]))
  const inCircles = sources.filter(({ path }) => reached.get(path)?.has(path)).map(({ path }) => path)
  const named = new Set<string>()
  return inCircles.flatMap((path) => {
    if (named.has(path)) return []
    const circle = inCircles.filter((other) => reached.get(path)?.has(other) && reached.get(other)?.has(path))
    for (const each of circle) named.add(each)
    return [circle]
  })
}

function reachedFrom(start: string, all: ReadonlyMap<string, Source>): Set<string> {
  const reached = new Set<string>()
  const waiting = [...(all.get(start)?.imports ?? [])]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path)) continue
    reached.add(path)
    waiting.push(...(all.get(path)?.imports ?? []))
  }
  return reached
}

/** The value that the given share of the values lies at or below. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
}

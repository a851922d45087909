// The layers of ARCHITECTURE.md: who may import whom, read from the imports themselves and from each package.json.
// Circles between files are the linter's; between packages these rules leave no room for one.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Stands for the worker of each provider. */
const ANY_WORKER = '*-worker'
const SCOPE = '@push-server/'
/** Lowest first: each may import what stands before its own line, and nobody beside it. */
const LEVELS = [
  ['contract'],
  ['runtime'],
  ['http2'],
  ['store', 'queues', 'providers'],
  ['domain'],
  ['api-gateway', ANY_WORKER, 'campaign-scheduler', 'migration'],
  ['standalone', 'testing', 'api-key'],
]
/** These stand aside: what they may import. Only the uppermost level, and tests, import them. */
const ASIDE: Readonly<Record<string, readonly string[]>> = {
  simulator: ['contract', 'runtime', 'http2'],
  'embedded-postgres': [],
}
/** Folders of these packages import each other's index alone. */
const FOLDERS_WITH_AN_INDEX = new Set(['domain'])
/** Folders of these packages, lowest first: each may import what stands before its own line, and nobody beside it. */
const FOLDER_LEVELS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  store: [
    ['generated'],
    ['connection'],
    ['access', 'devices', 'inbox', 'retention'],
    ['chunks'],
    ['applications', 'campaigns', 'messages'],
  ],
}

export interface Package {
  name: string
  /** Names of ours in its package.json. */
  dependencies: readonly string[]
  devDependencies: readonly string[]
  files: readonly SourceFile[]
}

export interface SourceFile {
  /** Relative to the package. */
  path: string
  imports: readonly string[]
}

/** One line for each breach. */
export function findBreaches(packages: readonly Package[]): string[] {
  return packages.flatMap((each) => [
    ...each.files.flatMap((file) => fileBreaches(each, file)),
    ...manifestBreaches(each),
  ])
}

function fileBreaches(from: Package, file: SourceFile): string[] {
  const breach = (specifier: string) =>
    specifier.startsWith('.') ? relativeBreach(from, file, specifier) : packageBreach(from, file, specifier)
  const where = `${from.name}/${file.path}`
  return file.imports.flatMap((specifier) => {
    const reason = breach(specifier)
    return reason ? [`${where} imports ${specifier}: ${reason}`] : []
  })
}

function relativeBreach(from: Package, file: SourceFile, specifier: string): string | undefined {
  const target = join(dirname(file.path), specifier)
  if (target.startsWith('..')) return 'outside its package; import the package by its name'
  const folder = folderOf(target)
  const levels = FOLDER_LEVELS[from.name]
  if (levels && !isTest(file)) return folderBreach(levels, file, target)
  const isForeign = FOLDERS_WITH_AN_INDEX.has(from.name) && folder !== undefined && folder !== folderOf(file.path)
  const throughIndex = target === `src/${folder}/index.ts` || isTest(file)
  return isForeign && !throughIndex ? `only the index of ${folder}/ is for other folders` : undefined
}

function folderBreach(levels: NonNullable<(typeof FOLDER_LEVELS)[string]>, file: SourceFile, target: string) {
  const levelOf = (folder: string | undefined) => levels.findIndex((level) => folder && level.includes(folder))
  const [from, to] = [folderOf(file.path), folderOf(target)]
  if (from === undefined || from === to) return undefined
  return levelOf(to) >= 0 && levelOf(to) < levelOf(from) ? undefined : `${from}/ does not stand above it`
}

function packageBreach(from: Package, file: SourceFile, specifier: string): string | undefined {
  if (!specifier.startsWith(SCOPE)) return undefined
  const [name = '', ...deep] = specifier.slice(SCOPE.length).split('/')
  if (deep.length > 0) return 'reaches behind the index of the package'
  if (name === from.name && isTest(file)) return undefined
  const declared = isTest(file) ? [...from.dependencies, ...from.devDependencies] : from.dependencies
  if (!declared.includes(name)) return 'not in the dependencies of its package.json'
  return mayImport(from.name, name, isTest(file)) ? undefined : 'not below it'
}

function manifestBreaches({ name, dependencies, devDependencies, files }: Package): string[] {
  const used = new Set(files.flatMap((file) => file.imports))
  const unused = [...dependencies, ...devDependencies].filter((dependency) => !used.has(SCOPE + dependency))
  return unused.map((dependency) => `${name}/package.json names ${SCOPE}${dependency}, which no file imports`)
}

function mayImport(from: string, to: string, isTest: boolean): boolean {
  if (ASIDE[from]) return ASIDE[from].includes(to)
  const isUppermost = levelOf(from) === LEVELS.length - 1
  if (ASIDE[to] || to === 'testing') return isTest || (isUppermost && to !== 'testing')
  return levelOf(from) > levelOf(to) && levelOf(to) >= 0
}

function levelOf(name: string): number {
  return LEVELS.findIndex((level) => level.includes(name.endsWith('-worker') ? ANY_WORKER : name))
}

function folderOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1]
}

function isTest({ path }: SourceFile): boolean {
  return path.startsWith('test/')
}

const STATIC = /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]/gm
const DYNAMIC = /\bimport\(\s*['"]([^'"]+)['"]/g

/** What a module imports, types included. */
export function importsOf(source: string): string[] {
  return [...source.matchAll(STATIC), ...source.matchAll(DYNAMIC)].map((match) => match[1] ?? match[2] ?? '')
}

export function readPackages(root: string): Package[] {
  return globSync('{packages,services}/*/package.json', { cwd: root }).map((manifest) => {
    const folder = join(root, dirname(manifest))
    const {
      name,
      dependencies = {},
      devDependencies = {},
    } = JSON.parse(readFileSync(join(root, manifest), 'utf8')) as Manifest
    const paths = globSync(['src/**/*.ts', 'test/**/*.ts'], { cwd: folder, exclude: ['src/generated/**'] })
    const read = (path: string) => ({ path, imports: importsOf(readFileSync(join(folder, path), 'utf8')) })
    return {
      name: name.slice(SCOPE.length),
      dependencies: ours(dependencies),
      devDependencies: ours(devDependencies),
      files: paths.map(read),
    }
  })
}

interface Manifest {
  name: string
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

function ours(dependencies: Record<string, string>): string[] {
  return Object.keys(dependencies).flatMap((name) => (name.startsWith(SCOPE) ? [name.slice(SCOPE.length)] : []))
}

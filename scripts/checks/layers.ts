// The layers of ARCHITECTURE.md: who may import whom, read from the imports themselves and from each package.json. Between
// packages these rules leave no room for a circle; those between files of one package are searched for.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Stands for the worker of each provider. */
const ANY_WORKER = '*-worker'
const SCOPE = '@push-server/'
/** Lowest first: each may import what stands before its own line, and nothing beside it. `scripts` is the folder at the root. */
const LEVELS = [
  ['contract'],
  ['runtime'],
  ['http2'],
  ['store', 'queues', 'providers'],
  ['domain'],
  ['api-gateway', ANY_WORKER, 'campaign-scheduler', 'migration', 'migrate-from'],
  ['standalone', 'testing', 'api-key'],
  ['bench', 'scripts'],
]
/** Files of these folders do not import each other: what two of them need stands elsewhere. */
const OF_SEPARATE_FILES = new Set(['api-gateway/src/routes'])
/** These scripts run before there is any node_modules. */
const SETUP = /^(?:setup\/|run\.mjs$)/
/** Scripts that describe the database import these past the index of the store, which opens it for services. */
const PAST_THE_INDEX = /^packages\/store\/src\/(?:connection\/|concurrent-indexes\.ts$)/
/** These stand aside: what they may import. Only the two uppermost levels, and tests, import them. */
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
    ['access', 'devices', 'inbox'],
    ['retention'],
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
    ...circles(each),
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
  if (from.name === 'scripts') return scriptBreach(file, target)
  if (target.startsWith('..')) return 'outside its package; import the package by its name'
  if (dirname(target) === dirname(file.path) && OF_SEPARATE_FILES.has(`${from.name}/${dirname(target)}`))
    return 'files of this folder do not import each other'
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

/** Scripts have no package.json of their own, so they import packages by their path. */
function scriptBreach({ path }: SourceFile, target: string): string | undefined {
  if (SETUP.test(path)) return SETUP.test(target) ? undefined : 'the setup imports nothing but itself and Node.js'
  if (!target.startsWith('..')) return undefined
  const [, inside = '', name = ''] = /^\.\.\/((?:packages|services)\/([^/]+)\/.*)$/.exec(target) ?? []
  if (!inside.endsWith(`${name}/src/index.ts`) && !PAST_THE_INDEX.test(inside))
    return 'reaches behind the index of the package'
  return mayImport('scripts', name, path.startsWith('test/')) ? undefined : 'not below it'
}

function manifestBreaches({ name, dependencies, devDependencies, files }: Package): string[] {
  const used = new Set(files.flatMap((file) => file.imports))
  const unused = [...dependencies, ...devDependencies].filter((dependency) => !used.has(SCOPE + dependency))
  return unused.map((dependency) => `${name}/package.json names ${SCOPE}${dependency}, which no file imports`)
}

function mayImport(from: string, to: string, isTest: boolean): boolean {
  if (ASIDE[from]) return ASIDE[from].includes(to)
  if (ASIDE[to]) return isTest || levelOf(from) >= levelOf('testing')
  if (to === 'testing' && isTest) return true
  return levelOf(from) > levelOf(to) && levelOf(to) >= 0
}

/** One line for each circle of files, from the file that closes it. */
function circles({ name, files }: Package): string[] {
  const targets = new Map(
    files.map(({ path, imports }) => [
      path,
      imports.filter((specifier) => specifier.startsWith('.')).map((specifier) => join(dirname(path), specifier)),
    ]),
  )
  const found: string[] = []
  const done = new Set<string>()
  const visit = (path: string, way: readonly string[]): void => {
    const start = way.indexOf(path)
    if (start !== -1) return void found.push(`${name}: circle ${[...way.slice(start), path].join(' → ')}`)
    if (done.has(path)) return
    for (const target of targets.get(path) ?? []) visit(target, [...way, path])
    done.add(path)
  }
  for (const path of targets.keys()) visit(path, [])
  return found
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

/** The packages of the workspace, and the scripts. */
export function readPackages(root: string): Package[] {
  const manifests = globSync(['{packages,services}/*/package.json', 'bench/package.json'], { cwd: root })
  const packages = manifests.map((manifest) => {
    const folder = join(root, dirname(manifest))
    const {
      name,
      dependencies = {},
      devDependencies = {},
    } = JSON.parse(readFileSync(join(root, manifest), 'utf8')) as Manifest
    return {
      name: name.slice(SCOPE.length),
      dependencies: ours(dependencies),
      devDependencies: ours(devDependencies),
      files: readFiles(folder, ['src/**/*.ts', 'test/**/*.ts']),
    }
  })
  const scripts = readFiles(join(root, 'scripts'), ['**/*.{ts,mjs}'])
  return [...packages, { name: 'scripts', dependencies: [], devDependencies: [], files: scripts }]
}

function readFiles(folder: string, patterns: readonly string[]): SourceFile[] {
  const paths = globSync(patterns, { cwd: folder, exclude: ['src/generated/**'] })
  return paths.map((path) => ({ path, imports: importsOf(readFileSync(join(folder, path), 'utf8')) }))
}

interface Manifest {
  name: string
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

function ours(dependencies: Record<string, string>): string[] {
  return Object.keys(dependencies).flatMap((name) => (name.startsWith(SCOPE) ? [name.slice(SCOPE.length)] : []))
}

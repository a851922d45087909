// `npm run check`: everything about the code that can be checked without running it. Each check gets a line, and what it
// found; all of them run, whatever the others say.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { findBlockingMigrations } from './checks/blocking-migrations.ts'
import { findWords } from './checks/words.ts'
import { findBreaches, readPackages } from './checks/layers.ts'
import { findOpenApiProblems } from './checks/openapi.ts'
import { findUnopened } from './checks/openings.ts'
import { findBrokenPaths } from './checks/paths.ts'
import { findStatementProblems } from './checks/statements.ts'
import { pendingMigration } from './database/pending-migration.ts'

/** What is wrong, for a person to read; an empty text when nothing is. */
type Check = () => Promise<string>

const checks: Record<string, Check> = {
  types: () => run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'),
  lint: () => run('node_modules/oxlint/bin/oxlint', '--deny-warnings', '--format=unix'),
  format: () => run('node_modules/oxfmt/bin/oxfmt', '--check'),
  words: async () => findWords('.').join('\n'),
  layers: async () => findBreaches(readPackages('.')).join('\n'),
  unused: () => run('node_modules/knip/bin/knip.js', '--no-progress', '--no-config-hints'),
  paths: async () => findBrokenPaths('.').join('\n'),
  openings: async () => findUnopened('.').join('\n'),
  migrations: checkMigrations,
  statements: async () => (await findStatementProblems()).join('\n'),
  'blocking migrations': async () => findBlockingMigrations('.').join('\n'),
  openapi: async () => (await findOpenApiProblems()).join('\n'),
  configuration: () => run('scripts/configuration.ts', '--check'),
  'lock file': checkLockFile,
}

/** Runs a tool of node_modules, and returns what it said if it ended with an error. */
function run(tool: string, ...args: string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, [tool, ...args], { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve(error ? (stdout + stderr).trim() || error.message : '')
    })
  })
}

async function checkMigrations(): Promise<string> {
  const sql = await pendingMigration()
  return sql === undefined
    ? ''
    : `prisma/schema.prisma is ahead of its migrations (npm run migration -- name):\n${sql.trim()}`
}

/** Addresses in the lock file would tie every installation to the registry of its author. */
async function checkLockFile(): Promise<string> {
  const lines = readFileSync('pnpm-lock.yaml', 'utf8').split('\n')
  return lines.filter((line) => /tarball:|resolution:.*https?:/.test(line)).join('\n')
}

async function report(name: string, check: Check): Promise<boolean> {
  const start = performance.now()
  const problems = await check().catch((error: Error) => error.stack ?? error.message)
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  process.stdout.write(`${problems ? '✖' : '✔'} ${name}  ${seconds} s\n`)
  if (problems) process.stdout.write(`${problems.replaceAll(/^/gm, '    ')}\n`)
  return problems === ''
}

for (const [name, check] of Object.entries(checks)) {
  if (!(await report(name, check))) process.exitCode = 1
}

// Migrations that would stop a running server: an index built in a transaction keeps everybody from writing for as long as it
// is built. On the tables that grow with the traffic it has to be built beside the writers, without a transaction.
import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isWithoutTransaction, statementsOf } from '../../packages/store/src/connection/concurrent-indexes.ts'

const LARGE = 'devices|messages|deliveries|chunks'
const ON_LARGE = String.raw`(?:ONLY\s+)?(?:"?public"?\.)?"?(${LARGE})"?(?![\w"])`

/** Applied before there was this check; they are never edited. */
const EXEMPT = new Set([
  '20261123190000_house',
  '20261126004516_campaigns',
  '20261126004755_api_keys',
  '20261126004852_messages',
  '20261126004913_inbox',
  '20261126012129_guards',
  '20261126034507_campaign_progress',
])

const INDEX = new RegExp(
  String.raw`CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY)(?:IF\s+NOT\s+EXISTS\s+)?(?:(?!ON\s)"?\w+"?\s+)?ON\s+${ON_LARGE}`,
  'gi',
)
const KEY = new RegExp(
  String.raw`ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?${ON_LARGE}[^;]*?ADD\s+(?:CONSTRAINT\s+"?\w+"?\s+)?(?:UNIQUE|PRIMARY\s+KEY)\s*\(`,
  'gi',
)

/** One line for each problem. Pure. */
export function problemsOf(name: string, sql: string): string[] {
  if (EXEMPT.has(name)) return []
  if (isWithoutTransaction(sql)) return unrepeatable(name, sql)
  const code = sql.replaceAll(/--.*$/gm, '')
  if (/\bCONCURRENTLY\b/i.test(code)) return [`${name}: CONCURRENTLY requires "-- no transaction" as the first line`]
  return [...code.matchAll(INDEX), ...code.matchAll(KEY)].map(
    ([, table]) =>
      `${name}: an index on ${table} keeps everybody from writing to it; build it with CREATE INDEX CONCURRENTLY, ` +
      'in a migration of its own whose first line is "-- no transaction"',
  )
}

function unrepeatable(name: string, sql: string): string[] {
  try {
    statementsOf(sql)
    return []
  } catch (error) {
    return [`${name}: ${(error as Error).message}`]
  }
}

export function findBlockingMigrations(root: string): string[] {
  return globSync('prisma/migrations/*/migration.sql', { cwd: root })
    .toSorted()
    .flatMap((file) => problemsOf(basename(dirname(file)), readFileSync(join(root, file), 'utf8')))
}

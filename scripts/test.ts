// `npm test [files or folders]`: one PostgreSQL and one Redis for the whole run, then every test, or those that are named.
// `--coverage` measures what they cover, `--long` adds the tests that take minutes, `--fallback` speaks HTTP/2 by Node.js and
// runs only what delivers. `--singly` lets no request and no chunk share a statement; a run of everything does that with a few files
// beside. `--mixed [--against <commit>]` runs only the test of two commits side by side. The last line counts
// asserts.
import { parseArgs } from 'node:util'
import { openTemporaryPostgres } from './database/temporary-postgres.ts'
import { startRedis } from './testing/redis.ts'
import { runTap } from './testing/tap.ts'
import { ALSO_SINGLY, SINGLY, testFilesOf } from './testing/test-files.ts'
import type { Totals } from './testing/tap-report.ts'

const NO_REDIS = 'no Redis here: set REDIS_URL, or install redis-server'

/** What goes over HTTP/2: to scripted and simulated providers, and through the whole test stack. */
const DELIVERY = ['packages/providers/test/*.test.ts', 'packages/testing/test/{journeys,providers}.test.ts']
const ALL_DELIVERY = ['packages/providers/test/*.test.ts', 'packages/testing/test/*.test.ts']

/** Its name keeps it out of all other runs: it needs another commit. */
const MIXED = ['packages/testing/test/mixed.ts']

/** Names them in the environment; `opened` closes them. */
async function openBackends(env: NodeJS.ProcessEnv, opened: AsyncDisposableStack): Promise<void> {
  if (!env.TEST_DATABASE_URL) {
    const postgres = await openTemporaryPostgres()
    opened.defer(() => postgres.close())
    env.TEST_DATABASE_URL = postgres.url
  }
  const redis = await startRedis(env.TEST_REDIS_URL ?? env.REDIS_URL)
  if (redis) {
    opened.defer(() => redis.stop())
    env.TEST_REDIS_URL = redis.url
  } else {
    env.TEST_REDIS_SKIP_REASON = NO_REDIS
  }
}

function filesOf({ long, fallback, mixed }: Record<'long' | 'fallback' | 'mixed', boolean>, named: readonly string[]) {
  if (mixed) return MIXED
  if (!fallback || named.length > 0) return named
  return long ? ALL_DELIVERY : DELIVERY
}

function conclude({ passed, failed, skipped, skipReasons }: Totals, env: NodeJS.ProcessEnv): boolean {
  for (const [reason, count] of skipReasons) print(`skipped ${count}: ${reason}`)
  if (env.TEST_REDIS_SKIP_REASON) print(`Tests on Redis were left out, ${NO_REDIS}`)
  if (passed + failed === 0) print('No test ran.')
  print([`${passed} passed`, `${failed} failed`, ...(skipped > 0 ? [`${skipped} skipped`] : [])].join(', '))
  const isIncomplete = env.TEST_REDIS_SKIP_REASON && env.TEST_REDIS === 'required'
  return failed === 0 && passed > 0 && !isIncomplete
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

const { values, positionals } = parseArgs({
  options: {
    coverage: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    fallback: { type: 'boolean', default: false },
    singly: { type: 'boolean', default: false },
    mixed: { type: 'boolean', default: false },
    /** The commit before the last change of product code. */
    against: { type: 'string' },
  },
  allowPositionals: true,
})
const files = filesOf(values, testFilesOf(positionals))
const also = files.length === 0 && !values.singly && !values.long ? ALSO_SINGLY : []
const interruption = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interruption.abort())
/** Checked out before the tests start, whose time does not run meanwhile. */
async function prepareFormer(against: string | undefined): Promise<{ TEST_FORMER_COMMIT: string }> {
  const { formerCommit, openTree } = await import('../packages/testing/src/index.ts')
  const commit = against ?? (await formerCommit())
  const { name } = await openTree(commit)
  print(`This tree beside ${name}`)
  return { TEST_FORMER_COMMIT: commit }
}

const expected = { ...(values.long && { TEST_LONG: '1' }), ...(values.fallback && { HTTP2_TRANSPORT: 'node' }) }
const env: NodeJS.ProcessEnv = { ...process.env, ...expected }
try {
  await using opened = new AsyncDisposableStack()
  if (values.mixed) Object.assign(env, await prepareFormer(values.against))
  await openBackends(env, opened)
  interruption.signal.throwIfAborted()
  const how = { ...(values.singly && { as: SINGLY }), also }
  const totals = await runTap({ files, ...how, coverage: values.coverage, env, signal: interruption.signal })
  process.exitCode = conclude(totals, env) ? 0 : 1
} catch (error) {
  // Ctrl-C reaches what is being started here as well, so a failure then comes from that.
  if (!interruption.signal.aborted) throw error
  print('Interrupted.')
  process.exitCode = 1
}

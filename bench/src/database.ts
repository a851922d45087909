// `npm run bench:database`: what single messages cost PostgreSQL alone, by the store's own statements: their life, their removal, a
// backlog of 100 000 chunks, and commits that notify. `--messages`, `--batch` (messages of a statement) and `--in-flight` (batches at
// a time) change the load; `--alter` runs SQL before it, to try a setting of a table: "ALTER TABLE deliveries SET (fillfactor = 100)".
import { parseArgs } from 'node:util'
import { openContext, SERVICE_SETTINGS, type Context } from '@push-server/domain'
import { createLogger, readConfig } from '@push-server/runtime'
import { makeBacklog, measureCommits, timeBacklog } from './database/backlog.ts'
import { deliverMessages, removeMessages, type MessagesOptions } from './database/messages.ts'
import { openProbe, type Counts, type Probe } from './database/probe.ts'
import { machine } from './results.ts'
import { runBenchmark } from './run-benchmark.ts'
import { openStage } from './stage.ts'
import { layout, rounded } from './table.ts'

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '100000' },
    batch: { type: 'string', default: '50' },
    'in-flight': { type: 'string', default: '2' },
    alter: { type: 'string' },
  },
})

const APPLICATIONS = 50
/** Before anything counts: statements are planned then. */
const WARM_UP = 2_000
const SESSIONS = [1, 4, 16]

const print = (line: string) => void process.stdout.write(`${line}\n`)

/** One application sends nearly everything, as in cell a of `bench:api`; the others take part in the backlog. */
async function makeApplications({ applications }: Context['store']): Promise<number[]> {
  const names = Array.from({ length: APPLICATIONS }, (_, place) => `bench-${place}`)
  for (const name of names) await applications.create(name)
  const rows = await Promise.all(names.map((name) => applications.find(name)))
  return rows.flatMap((row) => row?.id ?? [])
}

function printCosts(what: string, messages: number, counts: Counts): void {
  const { seconds, cpuSeconds, walBytes, multixacts } = counts
  const of = (total: number, unit: string) => `${rounded(total / messages)} ${unit}`
  print(
    `\n${what}, ${rounded(messages)} messages: ${seconds.toFixed(1)} s; for each message ${of(1e6 * cpuSeconds, 'µs of PostgreSQL')}, ` +
      `${of(walBytes, 'bytes of log')}; ${rounded(multixacts)} MultiXacts`,
  )
}

function printTables({ tables }: Counts): void {
  const rows = tables
    .filter(({ inserts }) => inserts > 0)
    .map(({ table, inserts, updates, hot, bytes }) => [
      table,
      (updates / inserts).toFixed(2),
      updates > 0 ? `${((100 * hot) / updates).toFixed(0)} %` : '',
      rounded(bytes / 1e6),
    ])
  print(layout([['table', 'updates/row', 'HOT', 'MB'], ...rows]))
}

async function measureLife(context: Context, probe: Probe, options: MessagesOptions): Promise<void> {
  const { store } = context
  await deliverMessages(store, { ...options, messages: WARM_UP })
  await probe.query('VACUUM (ANALYZE)')
  await probe.begin()
  await deliverMessages(store, options)
  const life = await probe.end()
  printCosts('stored, claimed, recorded', options.messages, life)
  printTables(life)
  await probe.query('VACUUM (ANALYZE)')
  const removed = await removeMessages(store, probe)
  printCosts('removed', removed, await probe.end())
}

await runBenchmark(async () => {
  const load = { messages: Number(values.messages), batch: Number(values.batch), inFlight: Number(values['in-flight']) }
  print(`${machine()}; ${JSON.stringify({ ...load, alter: values.alter })}`)
  await using opened = new AsyncDisposableStack()
  const stage = opened.adopt(
    await openStage({ backend: 'postgresql', latencyMs: 0, platforms: [], maintenance: 'by-hand' }),
    ({ close }) => close(),
  )
  const config = readConfig(stage.environment, SERVICE_SETTINGS)
  const context = opened.adopt(await openContext(config, createLogger(config, 'bench')), ({ close }) => close())
  const probe = opened.adopt(await openProbe(config.databaseUrl, stage.postgres), ({ close }) => close())
  if (values.alter !== undefined) await probe.query(values.alter)
  const applications = await makeApplications(context.store)
  await measureLife(context, probe, { ...load, applications: applications.slice(0, 1), waiter: null })
  await makeBacklog(probe, applications)
  await probe.query('VACUUM (ANALYZE)')
  const timings = await timeBacklog(context, probe)
  print(`\n${layout([['with 100 000 chunks due', 'ms'], ...timings.map(({ what, ms }) => [what, ms.toFixed(1)])])}`)
  const rates = []
  for (const sessions of SESSIONS) rates.push(await measureCommits(config.databaseUrl, sessions))
  const rows = rates.map(({ sessions, silent, notifying }) => [String(sessions), rounded(silent), rounded(notifying)])
  print(`\n${layout([['sessions', 'commits/s', 'that notify'], ...rows])}`)
})

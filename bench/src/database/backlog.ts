// What a backlog costs: the statements that read or move all open chunks, while 100 000 of them are due; and how many transactions
// can commit that notify, since PostgreSQL lets these commit one after the other.
import type { Context } from '@push-server/domain'
import { Client } from 'pg'
import type { Probe } from './probe.ts'

export interface Timing {
  what: string
  /** Median. */
  ms: number
}

const CHUNKS = 100_000
const TIMES = 5

export async function makeBacklog(probe: Probe, applications: readonly number[]): Promise<void> {
  await probe.query(
    `INSERT INTO chunks (application_id, platform, lane, total, due_at, expires_at)
     SELECT ($1::int[])[1 + g % cardinality($1::int[])], 'ios', 'direct', 10, now() - interval '1 min', now() + interval '1 day'
     FROM generate_series(1, ${CHUNKS}) g`,
    [applications],
  )
}

export async function timeBacklog({ store }: Pick<Context, 'store'>, probe: Probe): Promise<Timing[]> {
  const rows = await probe.query<{ id: string; application: number }>(
    'SELECT id, application_id AS application FROM chunks WHERE settled_at IS NULL LIMIT 100',
  )
  const ids = rows.map(({ id }) => Number(id))
  const held = rows.map(({ id, application }) => ({
    id: Number(id),
    epoch: 1,
    applicationId: application,
    platform: 'ios' as const,
    lane: 'direct' as const,
    runId: null,
    probe: false,
  }))
  return [
    await timed('back-pressure of a gateway, every 2 s or 20 times as long as it takes', () => store.waiting()),
    await timed('backlog of a scrape of metrics, each process', () => store.backlog()),
    await timed('sweep of 1000', () => store.chunks.sweep(1_000, 1_000)),
    await timed('sweep of 5000', () => store.chunks.sweep(1_000, 5_000)),
    await timed('expiry, nothing too old', () => store.chunks.expire(50)),
    await timed('claim of 100', () => store.chunks.claim(ids, 'bench', 1)),
    await timed('looking whether 100 are stopped', () => store.chunks.stopped(held)),
  ]
}

async function timed(what: string, work: () => Promise<unknown>): Promise<Timing> {
  const times: number[] = []
  for (let time = 0; time < TIMES; time++) {
    const start = performance.now()
    await work()
    times.push(performance.now() - start)
  }
  return { what, ms: times.toSorted((a, b) => a - b)[Math.floor(TIMES / 2)] ?? NaN }
}

const UPDATE = 'UPDATE bench_commits SET x = x + 1 WHERE id = $1'
const NOTIFYING = `WITH changed AS (${UPDATE} RETURNING 1) SELECT pg_notify('bench', '12 s0,1,2') FROM changed`
const COMMITTING_MS = 2_000

export interface CommitRates {
  sessions: number
  /** Commits a second. */
  silent: number
  notifying: number
}

/** Of sessions that each change a row of their own. */
export async function measureCommits(url: string, sessions: number): Promise<CommitRates> {
  const clients = Array.from({ length: sessions }, () => new Client({ connectionString: url }))
  await Promise.all(clients.map((client) => client.connect()))
  try {
    await clients[0]?.query(
      'CREATE TABLE IF NOT EXISTS bench_commits AS SELECT id, 0 AS x FROM generate_series(0, 63) id',
    )
    const rateOf = async (name: string, text: string) => {
      const end = performance.now() + COMMITTING_MS
      let commits = 0
      const commit = async (client: Client, place: number) => {
        for (; performance.now() < end; commits++) await client.query({ name, text, values: [place] })
      }
      await Promise.all(clients.map(commit))
      return (1_000 * commits) / COMMITTING_MS
    }
    return { sessions, silent: await rateOf('silent', UPDATE), notifying: await rateOf('notifying', NOTIFYING) }
  } finally {
    await Promise.all(clients.map((client) => client.end()))
  }
}

// Times: the database's clock counts, and a process knows it well enough between two readings.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { createDatabaseClock } from '../src/connection/clock.ts'
import { readSources } from './_sources.ts'

t.test('the clock of the database, as a process knows it', async (t) => {
  const local = { now: 5_000_000, elapsed: 100 }
  const clock = createDatabaseClock({ now: () => local.now, elapsed: () => local.elapsed })
  t.equal(clock.now(), 5_000_000, 'the process’s own until the first reading')
  t.equal(clock.offset(), 0)

  local.elapsed = 120
  clock.learn(1_000_000, 100)
  t.equal(clock.now(), 1_000_010, 'the middle of what is possible')
  t.equal(clock.offset(), 3_999_990)

  local.elapsed = 1_120
  local.now = 0
  t.equal(clock.now(), 1_001_010, 'it goes on by the monotonic clock, whatever becomes of the process’s own')

  const readings: [name: string, time: number, tookMs: number, expected: number][] = [
    ['a slow reading that fits changes nothing', 1_000_500, 900, 1_001_010],
    ['a reading that is ahead moves it as far as needed', 1_001_050, 5, 1_001_050],
    ['a reading that is behind likewise', 1_001_000, 5, 1_001_005],
    ['a database that was set back', 400_000, 10, 400_010],
    ['a process that was suspended for a day', 87_400_000, 10, 87_400_000],
  ]
  for (const [name, time, tookMs, expected] of readings) {
    clock.learn(time, local.elapsed - tookMs)
    t.equal(clock.now(), expected, name)
  }
})

/** What each statement's times come from: of the caller, or of the clock above. The process's own clock is none of it. */
const TIMES: Readonly<Record<string, string>> = {
  'campaign-create': 'the end of validity that the caller gives, at most 28 days from now by the database’s clock',
  'chunk-record': 'the next attempt and when the chunk is due, by the database’s clock',
  'chunk-record-and-drop': 'as chunk-record; since when a token is dead, by the provider or the database’s clock',
  'doubt-hold': 'since when a token is doubtful, by the database’s clock',
  'import-stage': 'when a device was registered, by the import’s line',
  'inbox-create': 'the end of validity, by the caller',
  'message-failed':
    'from when to when a caller asks, by default until now by the database’s clock; and where a page ended',
  'message-store': 'the end of validity, as of a campaign; when it is to be sent, by the caller',
  'message-store-keyed': 'as message-store',
  'run-chunk-record': 'when the chunk is due, by the database’s clock',
  'run-chunk-record-and-drop':
    'as run-chunk-record; since when a token is dead, by the provider or the database’s clock',
  'run-start': 'when the run is to start, by the caller',
  'token-put': 'when a provider token was made and ends, by the database’s clock',
}

t.test('every time that a statement takes has a source, and none is the process’s clock', async (t) => {
  const types = readFileSync(new URL('../src/connection/statement-types.ts', import.meta.url), 'utf8')
  const statements = [...types.matchAll(/^ {2}'([\w-]+)': \{(.*?)(?=^ {2}'|^\})/gms)].map(
    ([, name = '', text = '']) => ({
      name,
      values: text.replace(/\brow: .*/s, ''),
    }),
  )
  t.ok(statements.length > 100, 'the statements are found')
  const timed = statements.filter(({ values }) => /\bDate\b/.test(values)).map(({ name }) => name)
  t.same(timed.toSorted(), Object.keys(TIMES).toSorted())
})

t.test('the sources do not ask the process for its time where something is stored', async (t) => {
  const asking = readSources(['packages/store/src', 'packages/domain/src', 'packages/queues/src'])
    .filter(({ text }) => /\bDate\.now\b|new Date\(\)/.test(text))
    .map(({ path }) => path)
  t.same(asking, ['packages/domain/src/context.ts', 'packages/store/src/connection/clock.ts'])
})

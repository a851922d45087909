// The sums of `bench:api`: who gets which message, what has to arrive, and what is printed.
import t from 'tap'
import { audienceOf, recipientsOf, sendingOf, tokenOf, usersByMessages, type Sending } from '../src/api/audience.ts'
import { tokensDue } from '../src/api/arrivals.ts'
import { CELLS, expand, latencyFrom, latencyName, nameOf, USUAL } from '../src/api/cells.ts'
import { useFrom, useInTheMiddle } from '../src/api/machine-use.ts'
import { altogether, type CellResult } from '../src/api/measure.ts'
import { describeResult, resultTable } from '../src/api/report.ts'
import { requestOf, requestsOf } from '../src/api/requests.ts'

const small: Sending = {
  audience: { name: 'few', applications: 2, users: 6, platforms: ['ios'] },
  messages: 10,
  perRequest: 1,
}

t.test('cells: one for each combination of the overrides', async (t) => {
  const cells = expand(USUAL, { devices: [1, 3], connections: [1, 32, 256], platform: [] })
  t.same(
    cells.map(({ devices, connections }) => [devices, connections]),
    [
      [1, 1],
      [1, 32],
      [1, 256],
      [3, 1],
      [3, 32],
      [3, 256],
    ],
  )
  t.same(expand(CELLS.b, {}), [CELLS.b])
  t.equal(nameOf(CELLS.a), 'ASYNCHRONOUS, 256 connections, 1 application, ios, 30–100 ms')
  t.equal(nameOf({ ...CELLS.d, keyed: true }), 'SYNCHRONOUS, 1 connection, 1 application, ios, at once, keyed')
})

t.test('latencies', async (t) => {
  for (const [text, min, max, name] of [
    ['30-100', 30, 100, '30–100 ms'],
    ['1000', 1_000, 1_000, '1000 ms'],
    ['0', 0, 0, 'at once'],
  ] as const) {
    t.same(latencyFrom(text), { min, max })
    t.equal(latencyName({ min, max }), name)
  }
  t.throws(() => latencyFrom('soon'), /soon is no latency/)
})

t.test('applications in turn, and the users of each in turn', async (t) => {
  const all = Array.from({ length: 10 }, (_, request) => recipientsOf(small, request))
  t.same(
    all.map(({ application, users }) => [application, ...users]),
    [
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
      [0, 2],
      [1, 2],
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ],
  )
  t.same(usersByMessages(small), { 1: 2, 2: 4 })
  t.same(recipientsOf({ ...small, perRequest: 3 }, 3), { application: 1, users: [0] }, 'the last one is smaller')
})

t.test('what has to arrive: each message once for each device of its user', async (t) => {
  t.same(usersByMessages(sendingOf(CELLS.a)), { 2: 10_000 })
  t.same(usersByMessages(sendingOf(CELLS.c, 2_000)), { 1: 2_000 })
  t.same(usersByMessages(sendingOf({ ...CELLS.c, operation: 'batch' })), { 2: 10_000 })
  const sendings = [small, { ...small, messages: 12 }]
  t.same(tokensDue('ios', sendings), { 1: 2, 2: 10 })
  t.same(tokensDue('android', sendings), {})
})

t.test('no token stands for two phones', async (t) => {
  const audiences = [CELLS.a, CELLS.c, { ...CELLS.c, devices: 3 as const }].map(audienceOf)
  const tokens = audiences.flatMap((audience) =>
    [0, 1, 49].flatMap((application) => [0, 1, 9_999].map((user) => tokenOf(audience, application, user))),
  )
  t.equal(new Set(tokens).size, tokens.length)
  for (const token of tokens) t.match(token, /^[0-9a-f]{64}$/)
})

t.test('requests: each once, however many connections share them', async (t) => {
  const options = { operation: 'ASYNCHRONOUS', keyed: true } as const
  const connections = 4
  const shares = [0, 1, 2, 3].map((connection) => requestsOf(small, { connection, connections }, options))
  t.same(
    shares.map(({ length }) => length),
    [3, 3, 2, 2],
  )
  const all = shares.flat()
  const keys = all.map(({ headers }) => headers['idempotency-key'])
  t.equal(new Set(keys).size, 10)
  const singly = Array.from({ length: 10 }, (_, request) => requestOf(small, request, options).body)
  t.same(all.map(({ body }) => body).toSorted(), singly.toSorted())
  t.match(JSON.parse(singly[1] ?? ''), {
    requestObject: { appId: 'few-1', mode: 'ASYNCHRONOUS', message: { userId: 'user-0' } },
  })
  const batch = requestOf({ ...small, perRequest: 3 }, 0, { operation: 'batch', keyed: false })
  t.equal(batch.path, '/push/message/batch/send')
  t.equal(JSON.parse(batch.body).requestObject.batch.length, 3)
  t.notOk('idempotency-key' in batch.headers)
})

t.test('cores in use: of the middle half', async (t) => {
  const sample = (at: number, busy: number) => useFrom(`cpu  ${busy} 0 0 ${2 * at - busy} 0 0 0 0 0 0\ncpu0 1 1 1`, at)
  const samples = [sample(0, 0), sample(30, 20), sample(50, 40), sample(70, 60), sample(100, 60)]
  t.same(samples[1], { at: 30, busy: 20, total: 60 })
  t.equal(useInTheMiddle(samples, 0, 100), 0.5)
  t.same(useInTheMiddle(samples, 0, 4), NaN)
})

const result: CellResult = {
  cell: CELLS.a,
  requestsPerSecond: 1_234.4,
  deliveredPerSecond: 1_200,
  p50: 12.34,
  p99: 99.9,
  micros: { gateway: 100, workers: 200, scheduler: 3, postgres: 400, redis: 50, load: 60, providers: 70 },
  coresInUse: 0.934,
  perMessage: { statements: 6.25, commits: 3, walBytes: 2_345.6 },
  dearest: [],
  failures: [],
}

t.test('the table: what beside the server sends and receives is no cost of it', async (t) => {
  t.equal(altogether(result.micros), 753)
  const [head, row] = resultTable([{ name: 'a', result }]).split('\n')
  t.match(
    head,
    /requests\/s +delivered\/s +p50 ms +p99 ms +µs CPU +gateway +workers +scheduler +PostgreSQL +Redis +load/,
  )
  t.match(
    row,
    /^a: ASYNCHRONOUS.* +1,234 +1,200 +12\.3 +99\.9 +753 +100 +200 +3 +400 +50 +60 +70 +93 % +6\.25 +3\.00 +2,346$/,
  )
  t.equal(altogether({ ...result.micros, redis: undefined }), 703)
})

t.test('a cell, as it is reported', async (t) => {
  t.match(describeResult({ name: 'a', result }), /^✔ a: ASYNCHRONOUS.*20000 messages: 1,234 requests\/s/)
  const failed = { ...result, failures: ['3 responses with 503'] }
  t.match(describeResult({ name: 'a', result: failed }), /^✖ a: .*\n {4}3 responses with 503$/)
  const dear = { text: 'SELECT\n  1', calls: 200, plans: 50, milliseconds: 1_234 }
  t.match(
    describeResult({ name: 'a', result: { ...result, dearest: [dear] } }),
    /1,234 ms, 200 calls, plans ÷ calls 0\.25: SELECT 1$/,
  )
})

// The short form of `npm run fuzz`: five hundred random requests against what `npm start` runs. The heap needs the long form.
import { randomInt } from 'node:crypto'
import t from 'tap'
import { createDatabase } from '../../packages/testing/src/index.ts'
import { fuzz } from '../fuzz/fuzz.ts'
import { startServer } from '../fuzz/server.ts'

const REQUESTS = 500
const seed = Number(process.env.PROPERTY_SEED ?? randomInt(2 ** 30))
t.comment(`PROPERTY_SEED=${seed}`)

t.test('every random request gets a response in time, and none is 5xx', async (t) => {
  const database = await createDatabase()
  t.teardown(database.close)
  const server = await startServer({ DATABASE_URL: database.url })
  t.teardown(server.stop)
  const { statuses, failures } = await fuzz(server, { requests: REQUESTS, seed })
  t.same(failures, [], server.log())
  t.equal(
    Object.values(statuses).reduce((sum, count) => sum + count, 0),
    REQUESTS,
    'each got a response',
  )
  for (const status of [200, 400, 404, 405, 415]) t.ok((statuses[status] ?? 0) > 0, `some with ${status}`)
  t.ok((await server.heap()) > 0, 'the heap can be measured')
})

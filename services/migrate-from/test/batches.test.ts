// Rows of many groups: their order, and how many of them are held at a time.
import t from 'tap'
import { batchesOf } from '../src/batches.ts'
import { KINDS, type OldRow } from '../src/kinds.ts'

const devices = KINDS.find(({ name }) => name === 'devices')
if (!devices) throw new Error('there are no devices')

const GROUPS = 40
const ROWS = 240_000

t.test('of many groups as few rows are held as of one, and each keeps its order', async (t) => {
  let read = 0
  async function* rows(): AsyncGenerator<OldRow> {
    for (; read < ROWS; read++)
      yield { appId: `app-${read % GROUPS}`, activationId: String(read), userId: 'u', platform: 'ios' }
  }
  let sent = 0
  let held = 0
  const last = new Map<string, number>()
  for await (const { group, lines } of batchesOf(devices, rows())) {
    held = Math.max(held, read - sent)
    sent += lines.length
    for (const { activationId } of lines) {
      if (Number(activationId) <= (last.get(group) ?? -1)) t.fail('not in their order')
      last.set(group, Number(activationId))
    }
    if (sent > 50_000 && sent < 60_000) t.ok(lines.length > 100, 'the largest goes first')
  }
  t.equal(sent, ROWS)
  t.ok(held <= 100_001, `${held} were held`)
})

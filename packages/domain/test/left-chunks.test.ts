// Chunks left to other workers: remembered for a while, and never too many.
import t from 'tap'
import { createLeftChunks } from '../src/delivery/left-chunks.ts'

t.test('a chunk stays left for ten seconds', async (t) => {
  let now = 0
  const left = createLeftChunks(() => now)
  left.leave(1)
  now = 6000
  left.leave(2)
  t.same([left.has(1), left.has(2), left.has(3)], [true, true, false])
  now = 10_000
  t.same([left.has(1), left.has(2)], [false, true])
  left.leave(2)
  now = 16_000
  t.ok(left.has(2), 'left again, it counts from then')
})

t.test('the oldest are forgotten beyond 100 000', async (t) => {
  const left = createLeftChunks(() => 0)
  for (let chunkId = 0; chunkId <= 100_000; chunkId++) left.leave(chunkId)
  t.same([left.has(0), left.has(1), left.has(100_000)], [false, true, true])
})

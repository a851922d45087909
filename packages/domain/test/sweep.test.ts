// One sweep over a store and a queue that record what is requested of them: how much of a backlog goes at once.
import { createLogger } from '@push-server/runtime'
import t from 'tap'
import type { Context } from '../src/context.ts'
import { sweep } from '../src/delivery/sweep.ts'

interface Scene {
  /** Number of chunks that are due, and how many of them had a job within the last minute. */
  due?: number
  recent?: number
  tooOld?: number
  isQueueAway?: boolean
}

function play({ due = 0, recent = 0, tooOld = 0, isQueueAway = false }: Scene) {
  const acts: string[] = []
  const chunks = Array.from({ length: due }, (_, id) => ({ id, applicationId: 1, isRecent: id >= due - recent }))
  let left = tooOld
  const context = {
    config: { sweepAfter: 10_000 },
    log: createLogger({ logLevel: 'silent', logPretty: false }, 'test'),
    queues: {
      ping: async () => {
        if (isQueueAway) throw new Error('The queue is unavailable')
      },
      enqueue: async (jobs: readonly unknown[]) => void acts.push(`enqueue ${jobs.length}`),
    },
    store: {
      isUnavailable: () => false,
      applicationRemovals: { clear: async () => undefined },
      breakers: { takeBack: async () => 0 },
      pauses: { probe: async () => [] },
      chunks: {
        sweep: async (_afterMs: number, limit: number) => chunks.splice(0, limit),
        async expire(limit: number) {
          const count = Math.min(limit, left)
          left -= count
          if (count > 0) acts.push(`expire ${count}`)
          return Array.from({ length: count })
        },
      },
    },
  }
  return { acts, left: () => ({ due: chunks.length, tooOld: left }), context: context as unknown as Context }
}

t.test('a full pass is followed by the next at once, the two backlogs by turns', async (t) => {
  const { context, acts, left } = play({ due: 6500, tooOld: 110 })
  t.same(await sweep(context), { enqueued: 6500, expired: 110 })
  const thousands = (count: number) => Array.from({ length: count }, () => 'enqueue 1000')
  t.same(acts, ['expire 50', ...thousands(1), 'expire 50', ...thousands(5), 'expire 10', 'enqueue 500'])
  t.same(left(), { due: 0, tooOld: 0 })
})

t.test('one sweep ends after 100 000 chunks', async (t) => {
  const { context, left } = play({ due: 110_000 })
  t.same(await sweep(context), { enqueued: 101_000, expired: 0 })
  t.same(left(), { due: 9000, tooOld: 0 })
})

t.test('chunks that still wait in a long queue are not enqueued again and again', async (t) => {
  const { context } = play({ due: 20_000, recent: 16_000 })
  t.same(await sweep(context), { enqueued: 6000, expired: 0 }, 'the pass that comes to them is the last')
  t.same(await sweep(context), { enqueued: 1000, expired: 0 }, 'and a sweep that finds no others takes few')
})

t.test('while the queue is unavailable nothing counts as swept, and what is too old fails', async (t) => {
  const { context, left } = play({ due: 2500, tooOld: 60, isQueueAway: true })
  t.same(await sweep(context), { enqueued: 0, expired: 60 })
  t.same(left(), { due: 2500, tooOld: 0 })
})

t.test('no further pass begins while it is stopping', async (t) => {
  const { context, acts } = play({ due: 2500 })
  t.same(await sweep(context, () => acts.length > 0), { enqueued: 1000, expired: 0 })
})

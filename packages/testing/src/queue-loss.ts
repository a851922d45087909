// The queue loses what it holds, on either back end: what an operator's FLUSHALL does.
import { Redis } from 'ioredis'
import type { TestStack } from './test-stack.ts'

/** In one step, as FLUSHALL does: deleted one by one, the queue's own bookkeeping could be left half behind. */
const EMPTY = `local keys = redis.call('KEYS', ARGV[1])
  for _, key in ipairs(keys) do redis.call('DEL', key) end
  return #keys`

const MOST_ATTEMPTS = 10

/** Deletes every job of the test stack; returns how many rows or keys that were. */
export async function emptyQueue({
  environment,
  database,
}: Pick<TestStack, 'environment' | 'database'>): Promise<number> {
  if (!environment.REDIS_URL) return deleteJobs(database)
  const redis = new Redis(environment.REDIS_URL)
  const deleted = await redis.eval(EMPTY, 0, `${environment.QUEUE_PREFIX}:*`)
  redis.disconnect()
  return Number(deleted)
}

/** Those who work with the jobs lock them in an order of their own: whoever loses a deadlock tries once more. */
async function deleteJobs({ query }: TestStack['database']): Promise<number> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return (await query('DELETE FROM bullmq.job RETURNING 1')).length
    } catch (error) {
      if ((error as { code?: string }).code !== '40P01' || attempt === MOST_ATTEMPTS) throw error
    }
}

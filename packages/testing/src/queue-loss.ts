// The queue loses what it holds, on either back end: what an operator's FLUSHALL does.
import { Redis } from 'ioredis'
import type { House } from './house.ts'

/** Deletes every job of the house; answers how many rows or keys that were. */
export async function emptyQueue({ environment, database }: Pick<House, 'environment' | 'database'>): Promise<number> {
  if (!environment.REDIS_URL) return (await database.query('DELETE FROM bullmq.job RETURNING 1')).length
  const redis = new Redis(environment.REDIS_URL)
  const keys = await redis.keys(`${environment.QUEUE_PREFIX}:*`)
  const deleted = keys.length === 0 ? 0 : await redis.del(...keys)
  redis.disconnect()
  return deleted
}

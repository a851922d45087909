// The back ends of the queues that a test runs on: PostgreSQL always, Redis when there is one.
import { randomUUID } from 'node:crypto'

export interface TestBackend {
  name: 'postgresql' | 'redis'
  /** Why it cannot be tested here; false when it can. */
  skip: string | false
  /** Settings of a process that uses it, in a namespace of its own. */
  environment(): Record<string, string>
}

const redisUrl = process.env.TEST_REDIS_URL
const noRedis = process.env.TEST_REDIS_SKIP_REASON ?? 'no Redis: set TEST_REDIS_URL or install redis-server'

const ALL: readonly TestBackend[] = [
  { name: 'postgresql', skip: false, environment: () => ({}) },
  {
    name: 'redis',
    skip: redisUrl === undefined && noRedis,
    environment: () => ({ REDIS_URL: redisUrl ?? '', QUEUE_PREFIX: `test-${randomUUID()}` }),
  },
]

/** Where the same files are run once more in another way, one back end does. */
const { TEST_BACKEND } = process.env
export const BACKENDS = ALL.filter(({ name }) => TEST_BACKEND === undefined || name === TEST_BACKEND)

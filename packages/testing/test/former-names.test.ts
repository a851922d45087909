// A service that is started with a setting's former name works, and says so once in its log.
import t from 'tap'
import { openContext, SERVICE_SETTINGS } from '@push-server/domain'
import { createLogger, readConfig } from '@push-server/runtime'
import { openTestStack } from '@push-server/testing'

t.test('a setting under its former name is warned of once, at the start', async (t) => {
  const stack = await openTestStack({ services: [] })
  t.teardown(() => stack.close())
  const config = readConfig({ ...stack.environment, APNS_WINDOW: '5', LOG_LEVEL: 'warn' }, SERVICE_SETTINGS)
  const lines: string[] = []
  const log = createLogger(config, 'test', { write: (line: string) => void lines.push(line) })
  const context = await openContext(config, log)
  await context.close()
  t.equal(context.config.apnsConcurrency, 5)
  const warnings = lines.filter((line) => line.includes('former name'))
  t.equal(warnings.length, 1)
  t.match(JSON.parse(warnings[0] ?? '{}'), { level: 40, formerName: 'APNS_WINDOW', name: 'APNS_CONCURRENCY' })
})

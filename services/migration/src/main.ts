// Brings the database up to date and ends: a step of its own in deployments. The services do the same when they start.
import { readConfig, runOnce } from '@push-server/runtime'
import { migrateDatabase } from '@push-server/store'

const print = (line: string) => process.stdout.write(`${line}\n`)

await runOnce(async () => {
  const config = readConfig(process.env, ['databaseUrl'])
  const applied = await migrateDatabase(config, {
    onRetry: (name, { message }) => print(`Migration ${name} waits: ${message}`),
    await: { forMs: 60_000, onWait: ({ message }) => print(`PostgreSQL is not up yet: ${message}`) },
  })
  print(applied.length > 0 ? `Applied ${applied.join(', ')}` : 'Nothing to apply')
})

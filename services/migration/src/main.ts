// Brings the database up to date and ends: a step of its own in deployments. The services do the same when they start.
import { readConfig, runOnce } from '@push-server/runtime'
import { migrate } from '@push-server/store'

await runOnce(async () => {
  const { databaseUrl } = readConfig(process.env, ['databaseUrl'])
  const applied = await migrate(databaseUrl)
  process.stdout.write(applied.length > 0 ? `Applied ${applied.join(', ')}\n` : 'Nothing to apply\n')
})

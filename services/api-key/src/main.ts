// `npm run api-key -- create | list | revoke`: makes, shows and revokes API keys, then ends. Running services notice by themselves.
import { runOnce } from '@push-server/runtime'
import { readCommand } from './command.ts'
import { withApiKeys } from './database.ts'
import { perform } from './perform.ts'

await runOnce(async () => {
  const command = readCommand(process.argv.slice(2))
  await withApiKeys(process.env, (apiKeys) => perform(command, apiKeys, process))
})

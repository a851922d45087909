// `npm run api-key -- create | list | revoke | quota | quotas`: makes, shows and revokes API keys, and says what they and
// applications may send; then ends. Running services notice by themselves.
import { runOnce } from '@push-server/runtime'
import { readCommand } from './command.ts'
import { withApiKeys } from './database.ts'
import { perform } from './perform.ts'

await runOnce(async () => {
  const command = readCommand(process.argv.slice(2))
  await withApiKeys(process.env, (store) => perform(command, store, process))
})

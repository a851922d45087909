// `npm run migrate-from -- --source <database or folder> [--target URL] [--zone UTC] [--dry-run] [--check URL]`: moves the data of
// PowerAuth Push Server 1.7 to 2.x here, through the API, or checks what clients of it get here. Then it ends.
import { runOnce } from '@push-server/runtime'
import { readCommand } from './command.ts'
import { migrate } from './migrate.ts'

await runOnce(async () => {
  const isDone = await migrate(readCommand(process.argv.slice(2), process.env), (line) =>
    process.stdout.write(`${line}\n`),
  )
  if (!isDone) process.exitCode = 1
})

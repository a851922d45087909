// Launches everything at once: what `npm start` runs.
import { runProcess } from '@push-server/runtime'
import { startStandalone } from './standalone.ts'

await runProcess((stopping) => startStandalone(process.env, (text) => process.stdout.write(`${text}\n`), stopping))

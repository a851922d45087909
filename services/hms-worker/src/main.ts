// Launches an HMS worker; any number of them may run.
import { runService } from '@push-server/domain'
import { hmsWorker } from './worker.ts'

await runService('hms-worker', hmsWorker)

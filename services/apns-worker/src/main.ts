// Launches an APNs worker; any number of them may run.
import { runService } from '@push-server/domain'
import { apnsWorker } from './worker.ts'

await runService('apns-worker', apnsWorker)

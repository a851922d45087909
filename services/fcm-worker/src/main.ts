// Launches an FCM worker; any number of them may run.
import { runService } from '@push-server/domain'
import { fcmWorker } from './worker.ts'

await runService('fcm-worker', fcmWorker)

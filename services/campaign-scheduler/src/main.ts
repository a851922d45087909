// Launches a campaign scheduler; any number of them may run.
import { runService } from '@push-server/domain'
import { campaignScheduler } from './scheduler.ts'

await runService('campaign-scheduler', campaignScheduler)

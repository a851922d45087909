// The service that looks after what is due: today the sweep, which serves direct messages and campaigns alike.
import { sweeper } from '@push-server/domain'

export const campaignScheduler = sweeper

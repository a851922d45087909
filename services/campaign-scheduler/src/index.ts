export { campaignScheduler } from './scheduler.ts'

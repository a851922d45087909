// The campaign scheduler as a value.
export { campaignScheduler } from './scheduler.ts'

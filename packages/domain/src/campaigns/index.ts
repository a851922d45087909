// Campaigns: one message to many users, sent in runs.
export {
  addCampaignUsers,
  createCampaign,
  deleteCampaign,
  describeCampaign,
  findCampaign,
  listCampaigns,
  listCampaignUsers,
  removeCampaignUsers,
} from './campaigns.ts'
export { campaignFailures, campaignProgress } from './results.ts'
export { runScheduler } from './scheduler.ts'
export { importCampaigns } from './campaign-import.ts'
export { importCampaignUsers, importUsersOfCampaigns } from './user-import.ts'
export {
  campaignAudience,
  cancelCampaign,
  pauseCampaign,
  resumeCampaign,
  scheduleCampaign,
  sendCampaign,
  testCampaign,
  unscheduleCampaign,
} from './sending.ts'

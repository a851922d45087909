// WHAT the push server does, one folder per subject.
export * from './access/index.ts'
export * from './activations/index.ts'
export * from './applications/index.ts'
export * from './campaigns/index.ts'
export { connectionBudget, warnOfConnections } from './connection-budget.ts'
export { openContext, SERVICE_SETTINGS, writesPart, type Context, type Service, type ServiceConfig } from './context.ts'
export * from './delivery/index.ts'
export { encryptionKeysPart } from './encryption-keys.ts'
export {
  isUnavailable as isStoreUnavailable,
  isConflict as isStoreConflict,
  UnconfirmedWrite,
} from '@push-server/store'
export * from './devices/index.ts'
export { createImportSlots, type ImportSlots } from './imports/index.ts'
export * from './inbox/index.ts'
export {
  acceptMessages,
  cancelMessage,
  checkPayloads,
  composeMessage,
  findMessage,
  listFailed,
  listMessages,
  listWaiting,
  openBackPressure,
  openMessageBatches,
  openWaiters,
  previewCampaign,
  previewMessage,
  pushMessageOf,
  requireRawScope,
  resendMessage,
  type Accepted,
  type AcceptRequest,
  type BackPressure,
  type MessageBatches,
  type Preview,
  type Tallies,
  type Waiters,
} from './messages/index.ts'
export { providerWorker } from './provider-worker.ts'
export * from './quotas/index.ts'
export { retention } from './retention/index.ts'
export { runService } from './run-service.ts'
export { tableWalks } from './table-walks.ts'

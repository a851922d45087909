// Removes an application: at once for every caller, its data in the background.
import { refusal, TEXT, type RemovedApplication } from '@push-server/contract'
import type { Logger } from '@push-server/runtime'
import type { Store } from '@push-server/store'
import type { Context } from '../context.ts'

/** Refused while a campaign is being sent. Resolves with the number of deliveries that were pending. */
export async function removeApplication(
  { store: { applicationRemovals }, access }: Pick<Context, 'store' | 'access'>,
  appId: string,
  log: Pick<Logger, 'info'>,
): Promise<RemovedApplication> {
  const removal = await applicationRemovals.begin(appId)
  if (!removal) throw refusal(TEXT.credentialsUnknown(appId))
  if ('campaignId' in removal) throw refusal(TEXT.applicationSending(removal.campaignId))
  access.forget()
  const { id, pending, revokedKeys } = removal
  log.info({ appId, applicationId: id, pending }, 'application removed, its pending deliveries are not pushed')
  if (revokedKeys.length > 0) log.info({ keys: revokedKeys }, 'API keys of the removed application revoked')
  return { appId, pending }
}

const ROWS = 1000
const SWEEP_MS = 2000

/** Clears rows of removed applications, for a while; the next sweep goes on. */
export async function clearRemovedApplications(
  { applicationRemovals }: Pick<Store, 'applicationRemovals'>,
  log: Pick<Logger, 'info'>,
): Promise<void> {
  const deadline = performance.now() + SWEEP_MS
  while (performance.now() < deadline) {
    const step = await applicationRemovals.clear(ROWS)
    if (!step) return
    if (step.isCleared) log.info({ applicationId: step.id }, 'removed application cleared')
  }
}

// An application goes: at once for everybody who asks, and in the background what was its.
import { refusal, TEXT, type RemovedApplication } from '@push-server/contract'
import type { Logger } from '@push-server/runtime'
import type { Store } from '@push-server/store'
import type { Context } from '../context.ts'

type Shelf = Pick<Store, 'applicationRemovals'>

/** Refused while a campaign is being sent. What was still to be pushed is counted here, for the last time. */
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
  log.info({ appId, applicationId: id, pending }, 'application removed; what was pending is not pushed any more')
  if (revokedKeys.length > 0) log.info({ keys: revokedKeys }, 'API keys revoked: they were for the removed application')
  return { appId, pending }
}

const ROWS = 1000
const ROUND_MS = 2000

/** Clears what is left of removed applications, for a while; the next round goes on. */
export async function clearRemovedApplications(
  { applicationRemovals }: Shelf,
  log: Pick<Logger, 'info'>,
): Promise<void> {
  const deadline = Date.now() + ROUND_MS
  while (Date.now() < deadline) {
    const step = await applicationRemovals.clear(ROWS)
    if (!step) return
    if (step.isCleared) log.info({ applicationId: step.id }, 'removed application cleared')
  }
}

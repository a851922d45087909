// Checks of stored credentials at their provider, as an administrator asks for them: only workers reach providers, so one of them
// makes the check, and the gateway waits for its row.
import { refusal, TEXT, unavailable, type CheckedCredentials, type Platform } from '@push-server/contract'
import type { Store } from '@push-server/store'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from '../context.ts'

/** Workers take a check within half a second, and give their provider seven. */
const LONGEST_WAIT_MS = 10_000
const READ_MS = 200
const RETRY_AFTER_S = 10

type CheckContext = Pick<Context, 'config'> & { store: Pick<Store, 'applications' | 'credentialChecks'> }

/** Refuses when the application has no such credentials; 503 when no worker of the platform has made the check in time. */
export async function checkCredentials(
  { config, store: { applications, credentialChecks } }: CheckContext,
  { appId, platform }: { appId: string; platform: Platform },
): Promise<CheckedCredentials> {
  const application = await applications.find(appId)
  if (!application) throw refusal(TEXT.credentialsUnknown(appId))
  if (!application.credentials.some((credentials) => credentials.platform === platform))
    throw refusal(TEXT.credentialsMissing(appId, platform))
  const until = performance.now() + Math.min(LONGEST_WAIT_MS, config.syncTimeout)
  const id = await credentialChecks.request({ applicationId: application.id, platform })
  for (;;) {
    const result = await credentialChecks.read(id)
    if (result) {
      const { reason, ...rest } = result
      return { ...rest, ...(reason !== null && { reason }) }
    }
    if (performance.now() > until) throw unavailable(TEXT.credentialsUnchecked(platform), RETRY_AFTER_S)
    await sleep(READ_MS)
  }
}

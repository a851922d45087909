// An import of a campaign's users: many lines, each known to be well-formed, in batches.
import { refusal, TEXT, type CampaignUserLine, type UserImportResult } from '@push-server/contract'
import type { Store } from '@push-server/store'
import { createImportErrors, refusalOfFile, type ImportFile } from '../imports/index.ts'
import { findCampaign } from './campaigns.ts'

export interface UserImportRequest extends ImportFile<CampaignUserLine> {
  /** Of the campaign. */
  id: string
}

/** Nothing is changed before the last line was read. */
export async function importCampaignUsers(
  store: Pick<Store, 'campaigns' | 'openUserImport'>,
  { id, partial, batches, signal }: UserImportRequest,
): Promise<UserImportResult> {
  const campaign = await findCampaign(store, id)
  const staging = store.openUserImport()
  try {
    const failures = createImportErrors()
    for await (const batch of batches) {
      failures.add(batch.failures)
      await staging.stage(batch.items.map(({ value }) => (typeof value === 'string' ? value : value.userId)))
    }
    const [count, first] = [failures.count(), failures.first()]
    if (count > 0 && !partial) throw refusalOfFile({ count, first })
    const counts = await staging.apply(campaign.id, signal)
    if (!counts) throw refusal(TEXT.campaignUnknown)
    if (count > 0 && counts.imported + counts.kept === 0) throw refusalOfFile({ count, first })
    return { ...counts, failed: count, errors: first }
  } finally {
    await staging.close()
  }
}

// Imports of users of campaigns: of one, or of the campaigns that the lines name. Each line is known to be well-formed.
import type { CampaignUserLine, ImportedCampaignUser, ImportResult } from '@push-server/contract'
import type { Store } from '@push-server/store'
import { importFile, type ImportFile } from '../imports/index.ts'
import { campaignNumber } from './campaign-number.ts'
import { findCampaign } from './campaigns.ts'

export interface UserImportRequest extends ImportFile<CampaignUserLine> {
  /** Of the campaign. */
  id: string
}

const UNKNOWN = { fieldName: 'campaignId', hint: 'is not the id of a campaign' }

/** Nothing is changed before the last line was read. */
export async function importCampaignUsers(
  store: Pick<Store, 'campaigns' | 'openUserImport'>,
  { id, ...file }: UserImportRequest,
): Promise<ImportResult> {
  const { id: campaignId } = await findCampaign(store, id)
  const staging = store.openUserImport()
  return importFile(file, {
    staging,
    read: (items) =>
      items.map(({ line, value }) => ({ line, campaignId, userId: typeof value === 'string' ? value : value.userId })),
    drop: (most) => staging.dropUnknown(most),
    dropReason: UNKNOWN,
  })
}

/** Each line names its campaign. */
export function importUsersOfCampaigns(
  store: Pick<Store, 'openUserImport'>,
  file: ImportFile<ImportedCampaignUser>,
): Promise<ImportResult> {
  const staging = store.openUserImport()
  return importFile(file, {
    staging,
    read: (items) =>
      items.map(({ line, value: { campaignId: id, userId } }) => {
        const campaignId = campaignNumber(id)
        return campaignId === undefined ? { line, ...UNKNOWN } : { line, campaignId, userId }
      }),
    drop: (most) => staging.dropUnknown(most),
    dropReason: UNKNOWN,
  })
}

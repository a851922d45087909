// An import of campaigns that are still to be sent, under the ids that they have had. Each line is known to be well-formed.
import { ApiError, type ImportedCampaign, type ImportResult, type LineError } from '@push-server/contract'
import type { ApplicationRow, ImportedCampaignRow } from '@push-server/store'
import type { Context } from '../context.ts'
import { createLineApplications, importFile, timeOf, type ImportFile } from '../imports/index.ts'
import { checkPayloads, composeMessage, readValidUntil } from '../messages/index.ts'
import { understood } from './message-echo.ts'

/** As the reference server counts them. A higher id would leave few for new campaigns. */
const HIGHEST_ID = 2 ** 31 - 1

/** Refuses lines whose message a provider of the application would refuse. Nothing is changed before the last line was read. */
export function importCampaigns(
  context: Pick<Context, 'config' | 'store'>,
  file: ImportFile<ImportedCampaign>,
): Promise<ImportResult> {
  const { store } = context
  const applications = createLineApplications(store)
  const staging = store.openCampaignImport()
  return importFile(file, {
    staging,
    async read(items) {
      await applications.load(items.map(({ value }) => value.appId))
      return items.map(({ line, value }) => {
        const application = applications.of(line, value.appId)
        return 'hint' in application ? application : rowOf(context, { line, campaign: value, application })
      })
    },
    drop: (most) => staging.dropTaken(most),
    dropReason: { fieldName: 'id', hint: 'is the id of another campaign' },
  })
}

interface CampaignLine {
  line: number
  campaign: ImportedCampaign
  application: ApplicationRow
}

function rowOf(
  context: Pick<Context, 'config' | 'store'>,
  { line, campaign, application }: CampaignLine,
): ImportedCampaignRow | LineError {
  const id = Number(campaign.id)
  if (!(id >= 1 && id <= HIGHEST_ID)) return { line, fieldName: 'id', hint: `must be from 1 to ${HIGHEST_ID}` }
  if (campaign.sent) return { line, fieldName: 'sent', hint: 'must be false: what was sent is not imported' }
  const createdAt = timeOf(line, 'timestampCreated', campaign.timestampCreated)
  if (createdAt === null || 'hint' in createdAt)
    return createdAt ?? { line, fieldName: 'timestampCreated', hint: 'must not be null' }
  const validUntil = checked(context, { line, campaign, application })
  if (validUntil !== null && 'hint' in validUntil) return validUntil
  return { line, id, applicationId: application.id, message: understood(campaign.message), validUntil, createdAt }
}

/** As it would be sent to one user; what is wrong with it, otherwise until when it is valid. */
function checked({ config, store }: Pick<Context, 'config' | 'store'>, { line, campaign, application }: CampaignLine) {
  const { appId, message } = campaign
  const fieldOf = (inside: string) => inside.replace('body', 'message')
  try {
    const validUntil = readValidUntil(message.validUntil, fieldOf)
    const now = store.clock.now()
    const composed = composeMessage({ userId: '', body: message }, fieldOf, now)
    const platforms = application.credentials.map(({ platform }) => platform)
    checkPayloads({ messages: [composed], platforms, fieldOf: (_, inside) => fieldOf(inside), config, appId, now })
    return validUntil === null ? null : new Date(validUntil)
  } catch (error) {
    const [violation] = error instanceof ApiError ? (error.violations ?? []) : []
    if (!violation) throw error
    return { line, ...violation }
  }
}

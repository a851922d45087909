// Lines of the imports of campaigns and their users.
import Type, { type Static } from 'typebox'
import { AppId } from './application.ts'
import { CampaignId } from './campaign.ts'
import { UserId } from './device.ts'
import { MessageBody } from './message-body.ts'
import { Nullable, TIME_IN_REQUEST } from './schema.ts'

/** One line of an import. */
export const CampaignUserLine = Type.Union([UserId, Type.Object({ userId: UserId })])
export type CampaignUserLine = Static<typeof CampaignUserLine>

/** One line of an import of users of many campaigns. */
export const ImportedCampaignUser = Type.Object(
  { campaignId: CampaignId, userId: UserId },
  { title: 'ImportedCampaignUser' },
)
export type ImportedCampaignUser = Static<typeof ImportedCampaignUser>

/** One line of an import of campaigns. Its message may also come as a text that holds JSON. */
export const ImportedCampaign = Type.Object(
  {
    id: CampaignId,
    appId: AppId,
    message: MessageBody,
    timestampCreated: Type.String({ maxLength: 64, ...TIME_IN_REQUEST, description: 'When it was created.' }),
    sent: Type.Optional(
      Nullable(
        Type.Boolean({
          description: 'Whether it was sent: such a campaign is refused.',
          default: false,
          examples: [false],
        }),
      ),
    ),
  },
  { title: 'ImportedCampaign' },
)
export type ImportedCampaign = Static<typeof ImportedCampaign>

// Whom a live send of a campaign goes to, once one has started.
import Type, { type Static } from 'typebox'
import { byPlatform, Words } from './schema.ts'

/** Whom a live send goes to. */
export const AUDIENCES = ['all', 'unreached', 'unreached-devices'] as const
export type Audience = (typeof AUDIENCES)[number]

export const WHOM =
  '`all`: all users of the campaign. `unreached`: users whom no live send since the last one to all has reached on any device. ' +
  '`unreached-devices`: devices that none of these has reached, of whichever users.'

/** What clients of the version before send. */
export const RESEND_WORDS = ['true', 'false'] as const

/** What a request says; undefined = nothing. */
export const audienceOf = (resend: string | null | undefined): Audience | undefined =>
  resend === 'true' ? 'all' : AUDIENCES.find((audience) => audience === resend)

const said = { description: WHOM, examples: ['unreached'] }

export const CampaignAudienceQuery = Type.Object({
  resend: Type.Optional(Words('Audience', AUDIENCES, { ...said, default: 'all' })),
})

export const CampaignAudience = Type.Object(
  {
    resend: Words('Audience', AUDIENCES, said),
    users: Type.Integer({ description: 'Number of users with a device that would get it.', examples: [12] }),
    devices: Type.Integer({ description: 'Number of devices that would get it.', examples: [15] }),
    platforms: Type.Object(byPlatform(Type.Integer({ description: 'Number of devices.', examples: [5] }))),
  },
  { title: 'CampaignAudience' },
)
export type CampaignAudience = Static<typeof CampaignAudience>

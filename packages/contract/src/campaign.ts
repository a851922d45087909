// Requests and responses about campaigns: one message to a closed group of users.
import Type, { type Static } from 'typebox'
import { AppId } from './application.ts'
import { AUDIENCES, RESEND_WORDS, WHOM } from './campaign-audience.ts'
import { UserId } from './device.ts'
import { MessageBody } from './message-body.ts'
import { ChosenPlatforms, Tally } from './message.ts'
import { pageMembers, pageMembersOnDemand } from './paging.ts'
import { BooleanWord, byPlatform, NotBlank, Nullable, PlatformText, Time, TIME_IN_REQUEST, Words } from './schema.ts'

/** Of the latest live send; a campaign without one is `created`. */
export const CAMPAIGN_STATES = [
  'created',
  'scheduled',
  'fanning-out',
  'sending',
  'sent',
  'cancelled',
  'failed',
  'missed',
] as const
export type CampaignState = (typeof CAMPAIGN_STATES)[number]

/** As the path names it, and as the list of its users names it again: a number below zero is that of no campaign. */
const CampaignIdInPath = Type.String({
  pattern: '^-?[0-9]{1,40}$',
  description: 'Identifier of the campaign.',
  examples: ['10'],
})

/** A text of digits in responses; requests may give it as a number too. */
export const CampaignId = Type.String({
  pattern: '^[0-9]{1,40}$',
  description: 'Identifier of the campaign.',
  examples: ['10'],
})

export const CampaignParams = Type.Object({ id: CampaignIdInPath })

export const CampaignListQuery = Type.Object({
  all: Type.Optional(
    BooleanWord({
      default: true,
      description: '`false`: only campaigns that were sent; in the form of a version, only those that were not.',
      examples: [true],
    }),
  ),
  sent: Type.Optional(
    Type.Boolean({
      'x-words': true,
      description:
        '`true`: only campaigns that were sent. `false`: only campaigns that were not sent. Takes precedence over `all`.',
      examples: [true],
    }),
  ),
  ...pageMembersOnDemand(20),
})

export const CampaignUsersQuery = Type.Object({
  ...pageMembers(20),
  after: Type.Optional(Type.String({ maxLength: 255, description: 'Only users whose id comes after this one.' })),
  sort: Type.Optional(
    Type.String({
      pattern: '^userId(,(asc|desc|ASC|DESC))?$',
      description: 'Order of the users: userId, with `,asc` or `,desc`.',
      examples: ['userId,desc'],
    }),
  ),
})

export const CampaignFailuresQuery = Type.Object(pageMembers(100))

export const DeleteCampaignQuery = Type.Object({
  force: Type.Optional(
    BooleanWord({
      default: false,
      description: 'Cancels the campaign first when it is being sent.',
      examples: [false],
    }),
  ),
})

const Rate = Type.Integer({
  minimum: 1,
  maximum: 1_000_000,
  description: 'Maximum number of pushes per second over all workers. By default the providers set the rate.',
  examples: [500],
})

export const SendCampaignQuery = Type.Object({
  resend: Type.Optional(
    Words('Resend', [...AUDIENCES, ...RESEND_WORDS], {
      default: 'false',
      'x-words': true,
      description: `Required once a live send has started: whom to send the campaign to. ${WHOM} \`true\` is \`all\`, \`false\` as if left out.`,
      examples: ['unreached'],
    }),
  ),
  rate: Type.Optional(Rate),
})

export const CreateCampaignRequest = Type.Object(
  { appId: AppId, message: MessageBody, platforms: ChosenPlatforms },
  { title: 'CreateCampaignRequest' },
)
export type CreateCampaignRequest = Static<typeof CreateCampaignRequest>

export const CampaignCreated = Type.Object({ id: CampaignId }, { title: 'CampaignCreated' })
export const CampaignDeleted = Type.Object(
  { deleted: Type.Boolean({ description: 'Whether the campaign existed.' }) },
  { title: 'CampaignDeleted' },
)

const campaign = {
  id: CampaignId,
  appId: AppId,
  sent: Type.Boolean({ description: 'Whether a live send of the campaign is complete.' }),
  message: MessageBody,
  platforms: Type.Optional(
    Type.Array(PlatformText, {
      description: 'Left out: it goes to devices of all platforms.',
    }),
  ),
}

export const Campaign = Type.Object(campaign, { title: 'Campaign' })
export type Campaign = Static<typeof Campaign>

export const CampaignList = Type.Array(Campaign, { title: 'CampaignList' })

const optionalTime = (description: string) => Type.Optional(Time(description))

const state = Words('CampaignState', CAMPAIGN_STATES, {
  description: 'Where the latest live send stands; `created` without one.',
  examples: ['sent'],
})
const paused = Type.Boolean({ description: 'Whether the sending is paused.' })
const tallies = Type.Object(byPlatform(Tally), { title: 'CampaignResult' })

export const CampaignDetail = Type.Object(
  {
    ...campaign,
    state,
    paused,
    timestampCreated: Time('When the campaign was created.'),
    timestampSent: optionalTime('When the live send that set `sent` was completed.'),
    timestampCompleted: optionalTime('When the latest live send ended, whatever its result.'),
    timestampScheduled: optionalTime('When the scheduled live send is due.'),
    result: Type.Optional(tallies),
    reasons: Type.Optional(
      Type.Record(Type.String(), Type.Integer(), {
        description: 'Number of failed deliveries by reason.',
        examples: [{ Unregistered: 3 }],
      }),
    ),
  },
  { title: 'CampaignDetail' },
)
export type CampaignDetail = Static<typeof CampaignDetail>

export const CampaignUsers = Type.Object(
  { campaignId: CampaignIdInPath, users: Type.Array(UserId) },
  { title: 'CampaignUsers' },
)
export type CampaignUsers = Static<typeof CampaignUsers>

export const CampaignUserList = Type.Array(UserId, {
  title: 'CampaignUserList',
  description: 'Identifiers of users.',
  examples: [['1234567890', '1234567891']],
})

export const TestCampaignRequest = Type.Object(
  { userId: NotBlank(255, { description: 'User who gets the message.', examples: ['user-1'] }) },
  { title: 'TestCampaignRequest' },
)

export const CampaignTested = Type.Object({ result: Type.Object(byPlatform(Tally)) }, { title: 'CampaignTested' })

export const ScheduleCampaignRequest = Type.Object(
  {
    sendAt: Type.String({
      maxLength: 64,
      ...TIME_IN_REQUEST,
      description: 'When to send: ISO 8601 with offset, in the future.',
      'x-example': 'timeAhead',
    }),
    rate: Type.Optional(Nullable(Rate)),
    resend: Type.Optional(
      Nullable(
        Type.String({
          enum: ['all'],
          description: 'Required once a live send has started: it will be sent to all users of the campaign again.',
        }),
      ),
    ),
  },
  { title: 'ScheduleCampaignRequest' },
)
export type ScheduleCampaignRequest = Static<typeof ScheduleCampaignRequest>

export const CampaignProgress = Type.Object(
  {
    state,
    paused,
    result: Type.Optional(tallies),
    sent: Type.Optional(Type.Integer()),
    failed: Type.Optional(Type.Integer()),
    pending: Type.Optional(Type.Integer()),
    total: Type.Optional(Type.Integer({ description: 'Absent until the fan-out is complete.' })),
    pushesPerSecond: Type.Number({ description: 'Average over the last five to ten seconds.', examples: [12000] }),
    timestampEstimatedEnd: optionalTime('When the sending ends at the current rate.'),
  },
  { title: 'CampaignProgress' },
)
export type CampaignProgress = Static<typeof CampaignProgress>

export const CampaignFailures = Type.Array(
  Type.Object({
    userId: UserId,
    platform: PlatformText,
    reason: Type.String({ examples: ['Unregistered'] }),
  }),
  { title: 'CampaignFailures' },
)
export type CampaignFailures = Static<typeof CampaignFailures>

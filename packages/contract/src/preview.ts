// What a message would become on each platform, shown and not sent.
import Type, { type Static } from 'typebox'
import { Violation } from './envelope.ts'
import { byPlatform, optionally, PlatformText, Words } from './schema.ts'

export const PlatformPreview = Type.Object(
  {
    headers: Type.Record(Type.String(), Type.String(), {
      description: 'Headers of the request, without credentials and ids.',
      examples: [{ 'apns-push-type': 'alert', 'apns-topic': 'some.bundle.id' }],
    }),
    payload: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description:
          'Body of the request to the provider for one device. A placeholder stands for the token. Left out where the message is far too large.',
        examples: [{ aps: { alert: { title: 'Balance update' } } }],
      }),
    ),
    bytes: Type.Optional(Type.Integer({ description: 'Size as the provider counts it.', examples: [46] })),
    limit: Type.Integer({ description: 'Largest size that the provider takes.', examples: [4096] }),
    ignored: Type.Array(Type.String(), {
      description: 'Members that are given, and that no device of the platform gets anything of.',
      examples: [['body.icon']],
    }),
    refused: Type.Array(Violation, { description: 'Why the message would be refused. Empty: it would not.' }),
  },
  { title: 'PlatformPreview' },
)
export type PlatformPreview = Static<typeof PlatformPreview>

const platforms = Type.Object(optionally(byPlatform(PlatformPreview)), {
  description: 'Of each platform that the message is for and the application has credentials for.',
})

export const DeliveryPreview = Type.Object(
  {
    activationId: Type.String({ examples: ['49414e31-f3df-4cea-87e6-f214ca3b8412'] }),
    platform: PlatformText,
    status: Words('PreviewStatus', ['pending', 'failed', 'skipped'], {
      description: '`pending`: the device would get it. `failed`, `skipped`: it would not, `reason` says why.',
      examples: ['pending'],
    }),
    reason: Type.Optional(Type.String({ examples: ['NotSelected'] })),
  },
  { title: 'DeliveryPreview' },
)

export const MessagePreview = Type.Object(
  {
    platforms,
    deliveries: Type.Array(DeliveryPreview, { description: 'Devices of the user, as they are now.' }),
  },
  { title: 'MessagePreview' },
)
export type MessagePreview = Static<typeof MessagePreview>

export const CampaignPreview = Type.Object({ platforms }, { title: 'CampaignPreview' })
export type CampaignPreview = Static<typeof CampaignPreview>

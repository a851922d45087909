// What a message would become on each platform, shown and not sent.
import Type, { type Static } from 'typebox'
import { Violation } from './envelope.ts'
import { SHOWN_KIND } from './device.ts'
import { byPlatform, optionally, PlatformText, Words } from './schema.ts'

const SHOWN = {
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
  unshown: Type.Optional(
    Type.Array(Violation, {
      description:
        'Why these devices would show nothing of the message: its deliveries to them fail. Left out where they would show it.',
    }),
  ),
}

export const PlatformPreview = Type.Object({ ...SHOWN_KIND, ...SHOWN }, { title: 'PlatformPreview' })
export type PlatformPreview = Static<typeof PlatformPreview>

export const KindPreview = Type.Object({ platform: PlatformText, ...SHOWN_KIND, ...SHOWN }, { title: 'KindPreview' })
export type KindPreview = Static<typeof KindPreview>

/** Left out while all tokens are the usual ones. */
const kinds = Type.Optional(
  Type.Array(KindPreview, {
    description:
      'The same for tokens that are not the usual ones of their platform: of HarmonyOS 5 and later where the application has credentials of both kinds, and installation ids where a device of the user has one.',
  }),
)

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
    ...SHOWN_KIND,
  },
  { title: 'DeliveryPreview' },
)

export const MessagePreview = Type.Object(
  {
    platforms,
    kinds,
    deliveries: Type.Array(DeliveryPreview, { description: 'Devices of the user, as they are now.' }),
  },
  { title: 'MessagePreview' },
)
export type MessagePreview = Static<typeof MessagePreview>

export const CampaignPreview = Type.Object({ platforms, kinds }, { title: 'CampaignPreview' })
export type CampaignPreview = Static<typeof CampaignPreview>

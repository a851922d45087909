// Raw blocks: what a caller writes into the request to one provider itself, merged over what we have built of the message.
import Type, { type Static } from 'typebox'
import { Nullable } from './schema.ts'

const members = (description: string) =>
  Type.Optional(Nullable(Type.Record(Type.String(), Type.Unknown(), { description })))

const MERGED =
  'merged as a JSON Merge Patch (RFC 7396): objects are merged, null removes a member, anything else replaces it.'

export const RawApns = Type.Object(
  {
    headers: members('`apns-priority`, `apns-collapse-id` and `apns-expiration`; no other header can be set.'),
    payload: members(`Members of the payload, ${MERGED} \`aps\` stays, and the kind of push does not change.`),
  },
  { title: 'RawApns', description: 'Headers and payload for APNs. Needs the scope `message-raw`.' },
)

/** Members of a body; an application takes them only once an administrator has switched them on. */
export const RAW_MEMBERS = {
  apns: Type.Optional(Nullable(RawApns)),
  fcm: members(`Members of the message for FCM, ${MERGED} The target cannot be set. Needs the scope \`message-raw\`.`),
  hms: members(
    `Members of the message for HMS, ${MERGED} The target cannot be set. Those of \`v3\` are for HarmonyOS 5 and later. Needs the scope ` +
      '`message-raw`.',
  ),
}
export type RawApns = Static<typeof RawApns>

export const RAW_NAMES = ['apns', 'fcm', 'hms'] as const satisfies readonly (keyof typeof RAW_MEMBERS)[]

type Raw = { [Name in (typeof RAW_NAMES)[number]]?: object | null | undefined }

/** The raw blocks that a body has. */
export const rawNamesOf = (body: Raw) => RAW_NAMES.filter((name) => body[name] !== undefined && body[name] !== null)

/** The same question at less cost, for every message. */
export const hasRawBlock = ({ apns, fcm, hms }: Raw) => Boolean(apns ?? fcm ?? hms)

export const SwitchRawBlocksRequest = Type.Object(
  {
    appId: Type.String({
      minLength: 1,
      maxLength: 255,
      description: 'Identifier of the application.',
      examples: ['mobile-app'],
    }),
    enabled: Type.Boolean({
      description: 'Whether messages of the application may have raw blocks.',
      examples: [true],
    }),
  },
  { title: 'SwitchRawBlocksRequest' },
)
export type SwitchRawBlocksRequest = Static<typeof SwitchRawBlocksRequest>

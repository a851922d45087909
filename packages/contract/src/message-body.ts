// The abstract notification: what a message or a campaign shows, before any provider's mapping.
import Type, { type Static } from 'typebox'
import { NOTIFICATION_MEMBERS } from './notification-members.ts'
import { RAW_MEMBERS } from './raw-blocks.ts'
import { Integer32, Nullable } from './schema.ts'

/** The message of the API's document, which every example of ours shows. */
export const DOCUMENTED_BODY = {
  title: 'Balance update',
  titleLocKey: 'balance.update.title',
  titleLocArgs: [],
  body: 'Your balance is now $745.00',
  bodyLocKey: 'balance.update.body',
  bodyLocArgs: [],
  badge: 3,
  sound: 'default',
  icon: 'custom-icon',
  category: 'balance-update',
  collapseKey: 'balance-update',
  extras: { _comment: 'Any custom data.' },
}

const text = (description: string, example: string) =>
  Type.Optional(Nullable(Type.String({ description, examples: [example] })))
const texts = (description: string) => Type.Optional(Nullable(Type.Array(Type.String(), { description })))

/** What every platform knows, and what clients of the reference server send. */
const CLASSIC_MEMBERS = {
  title: text('Title of the notification.', DOCUMENTED_BODY.title),
  titleLocKey: text('Key of a localised title in the mobile application.', DOCUMENTED_BODY.titleLocKey),
  titleLocArgs: texts('Arguments of the localised title.'),
  body: text('Text of the notification.', DOCUMENTED_BODY.body),
  bodyLocKey: text('Key of a localised text in the mobile application.', DOCUMENTED_BODY.bodyLocKey),
  bodyLocArgs: texts('Arguments of the localised text.'),
  badge: Type.Optional(
    Nullable(
      Integer32({ description: 'Number on the application icon; 0 clears it.', examples: [DOCUMENTED_BODY.badge] }),
    ),
  ),
  sound: text('Name of the sound.', DOCUMENTED_BODY.sound),
  icon: text('Name of the icon (Android and Huawei).', DOCUMENTED_BODY.icon),
  category: text('Category of the notification, for actions and grouping.', DOCUMENTED_BODY.category),
  collapseKey: text(
    'A later notification with the same key replaces this one; at most 64 bytes.',
    DOCUMENTED_BODY.collapseKey,
  ),
  validUntil: Type.Optional(
    Nullable(
      Type.Union([Type.String(), Type.Number()], {
        description:
          'When the notification loses its meaning: ISO 8601 with offset. Seconds since the epoch are accepted too.',
        'x-example': 'timeAhead',
      }),
      // Responses always have the text, and of two alternatives some generators make a class that does not compile.
      { 'x-document': { anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }] } },
    ),
  ),
  extras: Type.Optional(
    Nullable(Type.Record(Type.String(), Type.Unknown(), { description: 'Any data for the mobile application.' })),
  ),
}

export const MessageBody = Type.Object(
  { ...CLASSIC_MEMBERS, ...NOTIFICATION_MEMBERS, ...RAW_MEMBERS },
  { title: 'MessageBody' },
)
export type MessageBody = Static<typeof MessageBody>

const CLASSIC: ReadonlySet<string> = new Set(Object.keys(CLASSIC_MEMBERS))

/** Whether a body has members beyond the classic ones. Costs a look at each member that is given, so that most bodies pay nothing for the others. */
export function isRich(body: MessageBody): boolean {
  for (const name in body) if (!CLASSIC.has(name)) return true
  return false
}

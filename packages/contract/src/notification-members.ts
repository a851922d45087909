// Members of a body beyond those that every platform has: what one phone or another can show or do with a notification. Each
// provider's folder says where it puts them; what has no place there is ignored and named.
import Type from 'typebox'
import { Nullable, Words } from './schema.ts'

/** Of a URL, and of the link of an application. */
const LONGEST_URL = 2_048
const LONGEST_NAME = 255
const LONGEST_KEY = 64

const member = <T extends Parameters<typeof Nullable>[0]>(schema: T) => Type.Optional(Nullable(schema))
const text = (description: string, maxLength = LONGEST_NAME) => member(Type.String({ description, maxLength }))
const truth = (description: string) => member(Type.Boolean({ description }))
const word = <const W extends string>(title: string, words: readonly W[], description: string) =>
  member(Type.Unsafe<W>({ ...Words(title, words, { description }) }))

export const INTERRUPTION_LEVELS = ['passive', 'active', 'time-sensitive', 'critical'] as const
export const DISPLAY_PRIORITIES = ['min', 'low', 'default', 'high', 'max'] as const
export const VISIBILITIES = ['private', 'public', 'secret'] as const
/** Without `PLAY_VOICE`, which is only for messages that are read aloud. */
export const HMS_CATEGORIES = [
  'IM',
  'VOIP',
  'MISS_CALL',
  'SUBSCRIPTION',
  'TRAVEL',
  'HEALTH',
  'WORK',
  'ACCOUNT',
  'EXPRESS',
  'FINANCE',
  'DEVICE_REMINDER',
  'MAIL',
  'MARKETING',
] as const

export const CriticalSound = Type.Object(
  {
    name: Type.Optional(
      Type.String({ maxLength: LONGEST_NAME, description: 'Name of the sound; `default` when left out.' }),
    ),
    volume: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'How loud it is, 0 to 1.' })),
  },
  {
    title: 'CriticalSound',
    description:
      'Sound that plays although the iPhone is muted. Apple permits that to applications with an entitlement alone. The interruption ' +
      'level is `critical` unless another one is given.',
  },
)

/** All are optional, and null means left out. */
export const NOTIFICATION_MEMBERS = {
  subtitle: text('Second line of the title (iOS).', 4_096),
  subtitleLocKey: text('Key of a localised second line in the mobile application (iOS).'),
  subtitleLocArgs: member(
    Type.Array(Type.String(), { description: 'Arguments of the localised second line (iOS). They require its key.' }),
  ),
  image: member(
    Type.String({
      pattern: '^https://[!-~]+$',
      maxLength: LONGEST_URL,
      description:
        'https address of a picture. On iOS the service extension of the mobile application loads it, from the member `image` beside `aps`.',
    }),
  ),
  link: member(
    Type.String({
      pattern: '^[a-z][a-z0-9+.-]*:[!-~]+$',
      maxLength: LONGEST_URL,
      description:
        'What a tap opens: an https address, or an address of the mobile application such as `bank:payments/4711`. iOS and Android ' +
        'hand it to the application as the member `link` of its data; Huawei opens it.',
    }),
  ),
  clickAction: text('Action of the mobile application that a tap starts (Android, Huawei).'),
  threadId: text(
    'Notifications of one thread are shown as a group (iOS, Huawei). By default `collapseKey` (iOS).',
    LONGEST_KEY,
  ),
  tag: text(
    'A later notification with the same tag replaces this one (Android, Huawei). By default `category`.',
    LONGEST_KEY,
  ),
  notifyId: member(
    Type.Integer({
      minimum: 0,
      maximum: 2_147_483_647,
      description: 'Number of the notification: a later one with the same number replaces it (Huawei).',
    }),
  ),
  channelId: text('Channel of the notification (Android, Huawei).'),
  hmsCategory: word('HmsCategory', HMS_CATEGORIES, 'Kind of message, by which Huawei limits how many a phone shows.'),
  interruptionLevel: word(
    'InterruptionLevel',
    INTERRUPTION_LEVELS,
    'How much the notification interrupts: the level on iOS; on Android and Huawei its priority, unless `displayPriority` is given. ' +
      'Without the entitlement for `time-sensitive` or `critical` iOS shows less.',
  ),
  criticalSound: member(CriticalSound),
  relevanceScore: member(
    Type.Number({ minimum: 0, maximum: 1, description: 'Place in the summary of notifications, 0 to 1 (iOS).' }),
  ),
  targetContentId: text('Name of the scene of the mobile application that a tap opens (iOS).'),
  filterCriteria: text('What the Focus of the user compares to decide whether to show it (iOS).'),
  mutableContent: truth(
    'Lets the service extension of the mobile application change the notification before it is shown (iOS). Refused where nothing ' +
      'is shown: with `silent`, with `dataOnly`, and without a text.',
  ),
  displayPriority: word(
    'DisplayPriority',
    DISPLAY_PRIORITIES,
    'How prominently the notification is shown (Android, Huawei).',
  ),
  visibility: word('Visibility', VISIBILITIES, 'What a locked screen shows of the notification (Android, Huawei).'),
  color: member(
    Type.String({
      pattern: '^#[0-9A-Fa-f]{6}$',
      description: 'Colour of the icon, such as `#1A73E8` (Android, Huawei).',
    }),
  ),
  ticker: text('Text for assistive technology, or for the status bar (Android, Huawei).'),
  sticky: truth('The notification stays when it is tapped (Android).'),
  localOnly: truth('The notification is not shown on connected devices (Android, Huawei).'),
  eventTime: Type.Optional(
    Nullable(
      Type.Union([Type.String({ maxLength: LONGEST_KEY }), Type.Number()], {
        description:
          'Time that the notification shows and is sorted by (Android, Huawei): ISO 8601 with offset. Seconds since the epoch are ' +
          'accepted too.',
      }),
      // As for `validUntil`.
      { 'x-document': { anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }] } },
    ),
  ),
  vibrate: member(
    Type.Array(Type.Integer({ minimum: 1, maximum: 59_999 }), {
      minItems: 1,
      maxItems: 10,
      description: 'Vibration in milliseconds: pause, vibration, pause and so on (Android, Huawei).',
    }),
  ),
  directBootOk: truth('The message may arrive before the phone is unlocked for the first time (Android).'),
  bandwidthConstrainedOk: truth('The message may arrive over a network of little bandwidth (Android).'),
  restrictedSatelliteOk: truth('The message may arrive over a restricted satellite network (Android).'),
  foregroundShow: truth(
    'Whether the notification is shown while the mobile application is in the foreground; by default it is (Huawei).',
  ),
  analyticsLabel: member(
    Type.String({
      pattern: '^[A-Za-z0-9\\-_.~%]{1,50}$',
      description: 'Label of the message in the statistics of FCM, and in receipts of HMS (Android, Huawei).',
    }),
  ),
  dataOnly: truth(
    'Whether the mobile application gets the notification as data and shows it itself (Android, Huawei). By default the setting of the ' +
      'server.',
  ),
}

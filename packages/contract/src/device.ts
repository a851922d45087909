// Requests and responses about devices and the activations that tie them to users.
import Type, { type Static } from 'typebox'
import { ApnsEnvironmentName, AppId } from './application.ts'
import { ImportQuery } from './import.ts'
import { pageMembers } from './paging.ts'
import { LONGEST_TOKEN } from './push-token.ts'
import { NotBlank, Nullable, PlatformNameText, PlatformText, Time, TIME_IN_REQUEST, Words } from './schema.ts'

export const ACTIVATION_STATUSES = ['CREATED', 'PENDING_COMMIT', 'ACTIVE', 'BLOCKED', 'REMOVED'] as const
export type ActivationStatus = (typeof ACTIVATION_STATUSES)[number]

/** Longer than a stored token: on iOS blanks may stand between its bytes. The length without them is checked later. */
export const PushToken = NotBlank(2 * LONGEST_TOKEN, {
  description: `Push token of the device, at most ${LONGEST_TOKEN} characters. On iOS it is hexadecimal; its case, blanks, < and > do not count. On the other platforms it is an exact text of printable ASCII without blanks.`,
  examples: ['1234567890987654321234567890'],
})

export const ActivationId = NotBlank(37, {
  description: 'Activation that ties the device to its user.',
  examples: ['49414e31-f3df-4cea-87e6-f214ca3b8412'],
})

const userId = { description: 'Identifier of the user.', examples: ['user-1'] }

export const UserId = Type.String({ minLength: 1, maxLength: 255, ...userId })

/** Of a user who has devices. */
export const DeviceUserId = NotBlank(255, userId)

const ActivationStatusText = Words('ActivationStatus', ACTIVATION_STATUSES, {
  description: 'Status of the activation.',
  examples: ['ACTIVE'],
})

const KINDS_OF_TOKENS = {
  tokenKind: Type.Optional(
    Nullable(
      Words('TokenKind', ['token', 'fid'], {
        description:
          'What the token of an Android device is: an FCM registration token, or a Firebase installation id (`fid`) of 22 characters. For devices of android alone.',
        examples: ['token'],
      }),
      { default: 'token' },
    ),
  ),
  huaweiApi: Type.Optional(
    Nullable(
      Type.Integer({
        title: 'HuaweiApi',
        enum: [2, 3],
        description:
          'Version of the HMS Push Kit API that the token of a Huawei device is for: 2 up to HarmonyOS 4, 3 from HarmonyOS 5 on. For devices of huawei alone.',
        examples: [2],
      }),
      { default: 2 },
    ),
  ),
}

/** What both ways to register have in common. */
const registration = {
  appId: AppId,
  token: PushToken,
  platform: PlatformNameText,
  environment: Type.Optional(Nullable(ApnsEnvironmentName)),
  ...KINDS_OF_TOKENS,
  userId: Type.Optional(Nullable(DeviceUserId)),
  activationStatus: Type.Optional(Nullable(ActivationStatusText)),
}

export const CreateDeviceRequest = Type.Object(
  { ...registration, activationId: ActivationId },
  { title: 'CreateDeviceRequest' },
)
export type CreateDeviceRequest = Static<typeof CreateDeviceRequest>

/** A phone has a handful. Each is looked up and locked. */
const MOST_ACTIVATIONS = 100

export const CreateDevicesRequest = Type.Object(
  { ...registration, activationIds: Type.Array(ActivationId, { minItems: 1, maxItems: MOST_ACTIVATIONS }) },
  { title: 'CreateDevicesRequest' },
)
export type CreateDevicesRequest = Static<typeof CreateDevicesRequest>

/** Accepted without the wrapper, and with further members, since a callback of PowerAuth Server sends both. */
export const UpdateDeviceStatusRequest = Type.Object(
  {
    activationId: ActivationId,
    activationStatus: Type.Optional(Nullable(ActivationStatusText)),
  },
  { title: 'UpdateDeviceStatusRequest' },
)
export type UpdateDeviceStatusRequest = Static<typeof UpdateDeviceStatusRequest>

export const RemoveDeviceRequest = Type.Object({ appId: AppId, token: PushToken }, { title: 'RemoveDeviceRequest' })
export type RemoveDeviceRequest = Static<typeof RemoveDeviceRequest>

/** Devices of a page when the request names no size, and events likewise. */
export const DEVICES_OF_A_PAGE = 100

export const ListDevicesQuery = Type.Object({
  appId: AppId,
  userId: UserId,
  ...pageMembers(DEVICES_OF_A_PAGE),
})
export type ListDevicesQuery = Static<typeof ListDevicesQuery>

/** What a token is, in responses. */
export const SHOWN_KIND = {
  tokenKind: Type.Optional(
    Words('ListedTokenKind', ['fid'], {
      description: '`fid`: the token is a Firebase installation id. Left out for an FCM registration token.',
    }),
  ),
  huaweiApi: Type.Optional(
    Type.Integer({
      title: 'ListedHuaweiApi',
      enum: [3],
      description: '3: the token is of HarmonyOS 5 or later. Left out for a token of version 2.',
    }),
  ),
}

export const ListedDevice = Type.Object(
  {
    activationId: ActivationId,
    platform: PlatformText,
    environment: Type.Optional(ApnsEnvironmentName),
    token: Type.String({
      description: 'First characters of the push token. The whole token is never shown.',
      examples: ['aabbcc…'],
    }),
    ...SHOWN_KIND,
    active: Type.Boolean({ description: 'Whether the device receives personal messages.' }),
    timestampLastRegistered: Time('When the device was last registered.'),
    timestampDropped: Type.Optional(
      Time('Since when nothing is sent to the device, because the provider refused its token.'),
    ),
    dropReason: Type.Optional(Type.String({ examples: ['Unregistered'] })),
    timestampDoubtful: Type.Optional(
      Time(
        'When the provider refused the token, by credentials that no push has succeeded with: the device is dropped once one has, or this is forgotten after a day.',
      ),
    ),
    doubtReason: Type.Optional(Type.String({ examples: ['BadDeviceToken'] })),
  },
  { title: 'ListedDevice' },
)
export type ListedDevice = Static<typeof ListedDevice>

export const DeviceList = Type.Object(
  { appId: AppId, userId: UserId, devices: Type.Array(ListedDevice) },
  { title: 'DeviceList' },
)

/** What becomes of a device. Each has one meaning, whichever request or worker it comes from. */
export const DEVICE_EVENTS = [
  'registered',
  'token-changed',
  'taken-over',
  'status-changed',
  'dropped',
  'restored',
  'removed',
  'imported',
] as const
export type DeviceEventName = (typeof DEVICE_EVENTS)[number]

export const DeviceEvent = Type.Object(
  {
    event: Words('DeviceEventName', DEVICE_EVENTS, {
      description:
        '`registered`: a new device. `token-changed`: another token. `taken-over`: the device went to another user or activation. ' +
        '`status-changed`: it became active or inactive. `dropped`: the provider refused its token. `restored`: it is no longer dropped. ' +
        '`removed`: it is gone. `imported`: an import added or changed it.',
      examples: ['dropped'],
    }),
    timestamp: Time('When it happened.'),
    userId: UserId,
    activationId: ActivationId,
    platform: PlatformNameText,
    active: Type.Boolean({ description: 'Whether the device received personal messages from then on.' }),
    reason: Type.Optional(
      Type.String({
        description: 'Why: the reason of the provider, the status of the activation, or a word of docs/api.md.',
        examples: ['Unregistered'],
      }),
    ),
    formerUserId: Type.Optional(
      Type.String({ description: 'User whose device it was before; left out when it is the same.' }),
    ),
    formerActivationId: Type.Optional(
      Type.String({ description: 'Activation whose device it was before; left out when it is the same.' }),
    ),
  },
  { title: 'DeviceEvent' },
)
export type DeviceEvent = Static<typeof DeviceEvent>

export const DeviceHistory = Type.Object(
  { appId: AppId, userId: UserId, events: Type.Array(DeviceEvent) },
  { title: 'DeviceHistory' },
)

export const DeviceImportQuery = Type.Object({
  appId: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      description: 'Application of all lines. Left out, each line names its own.',
      examples: ['mobile-app'],
    }),
  ),
  ...ImportQuery.properties,
})

/** One line of an import. */
export const ImportedDevice = Type.Object(
  {
    appId: Type.Optional(Nullable(AppId)),
    userId: UserId,
    activationId: ActivationId,
    platform: PlatformNameText,
    token: PushToken,
    active: Type.Optional(
      Nullable(
        Type.Boolean({
          default: true,
          description: 'Whether messages reach the device. Left out, they do; null means that they do not.',
        }),
      ),
    ),
    environment: Type.Optional(Nullable(ApnsEnvironmentName)),
    ...KINDS_OF_TOKENS,
    timestampLastRegistered: Type.Optional(
      Nullable(
        Type.String({ ...TIME_IN_REQUEST, description: 'When the device was last registered; by default now.' }),
      ),
    ),
  },
  { title: 'ImportedDevice' },
)
export type ImportedDevice = Static<typeof ImportedDevice>

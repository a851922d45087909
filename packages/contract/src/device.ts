// Requests about devices.
import Type, { type Static } from 'typebox'
import { ApnsEnvironmentName, AppId } from './application.ts'
import { PLATFORM_NAMES } from './platform.ts'
import { Nullable } from './schema.ts'

export const ACTIVATION_STATUSES = ['CREATED', 'PENDING_COMMIT', 'ACTIVE', 'BLOCKED', 'REMOVED'] as const
export type ActivationStatus = (typeof ACTIVATION_STATUSES)[number]

export const PlatformNameText = Type.String({
  enum: [...PLATFORM_NAMES],
  'x-case': 'lower',
  description: 'Platform of the device, by either of its names.',
  examples: ['ios'],
})

export const PushToken = Type.String({
  minLength: 1,
  maxLength: 1024,
  description: 'Push token of the device; hexadecimal on iOS.',
  examples: ['1234567890987654321234567890'],
})

export const ActivationId = Type.String({
  minLength: 1,
  maxLength: 37,
  description: 'Activation that ties the device to its user.',
  examples: ['49414e31-f3df-4cea-87e6-f214ca3b8412'],
})

export const UserId = Type.String({
  minLength: 1,
  maxLength: 255,
  description: 'Identifier of the user.',
  examples: ['123'],
})

export const CreateDeviceRequest = Type.Object(
  {
    appId: AppId,
    token: PushToken,
    platform: PlatformNameText,
    environment: Type.Optional(Nullable(ApnsEnvironmentName)),
    activationId: ActivationId,
    userId: Type.Optional(Nullable(UserId)),
    activationStatus: Type.Optional(
      Nullable(
        Type.String({
          enum: [...ACTIVATION_STATUSES],
          description: 'Status of the activation, for the local registry.',
        }),
      ),
    ),
  },
  { title: 'CreateDeviceRequest' },
)
export type CreateDeviceRequest = Static<typeof CreateDeviceRequest>

export const RemoveDeviceRequest = Type.Object({ appId: AppId, token: PushToken }, { title: 'RemoveDeviceRequest' })
export type RemoveDeviceRequest = Static<typeof RemoveDeviceRequest>

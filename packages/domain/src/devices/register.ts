// Registration: a token, tied to a user through an activation.
import {
  ApiError,
  invalidRequest,
  platformOf,
  refusal,
  TEXT,
  type ActivationStatus,
  type CreateDeviceRequest,
  type RemoveDeviceRequest,
} from '@push-server/contract'
import type { Store } from '@push-server/store'
import type { Activation, Activations } from '../activations/index.ts'

const HEXADECIMAL = /^[0-9a-f]+$/i

/** Refuses with the texts of POST /push/device/create, in their order; nothing is changed then. */
export async function registerDevice(
  { store, activations }: { store: Pick<Store, 'applications' | 'devices'>; activations: Activations },
  request: CreateDeviceRequest,
): Promise<void> {
  const { appId, activationId, token } = request
  const platform = platformOf(request.platform)
  if (!platform) throw new ApiError('ERROR_REQUEST', `No platform is called ${request.platform}`)
  const application = await store.applications.find(appId)
  if (!application) throw refusal(TEXT.applicationUnknown)
  if (platform === 'ios' && !HEXADECIMAL.test(token))
    throw invalidRequest([{ fieldName: 'requestObject.token', hint: 'must be hexadecimal on ios' }])

  const activation = allowed(
    appId,
    await activations.resolve(activationId, {
      appId,
      userId: request.userId,
      status: request.activationStatus as ActivationStatus | null | undefined,
    }),
  )
  const outcome = await store.devices.register({
    applicationId: application.id,
    activationId,
    userId: activation.userId,
    platform,
    environment: request.environment ?? null,
    token,
    active: activation.status === 'ACTIVE',
  })
  if (outcome === 'shared') throw refusal(TEXT.deviceTokenShared)
  await activations.keep(activationId, activation)
}

function allowed(appId: string, activation: Activation | undefined): Activation {
  if (!activation || activation.status === 'REMOVED') throw refusal(TEXT.activationNotActive)
  if (activation.applicationId !== null && activation.applicationId !== appId) throw refusal(TEXT.activationOfOther)
  return activation
}

/** Removes every registration of the token; that there is none is no fault. */
export const removeDevice = ({ devices }: Pick<Store, 'devices'>, { appId, token }: RemoveDeviceRequest) =>
  devices.remove(appId, token)

// Devices after their registration: they are listed, become active or inactive, and are removed.
import {
  claimsOf,
  invalidRequest,
  refusal,
  TEXT,
  timestampOf,
  type ActivationStatus,
  type ListDevicesQuery,
  type ListedDevice,
  type RemoveDeviceRequest,
  type UpdateDeviceStatusRequest,
} from '@push-server/contract'
import { shortened } from '@push-server/runtime'
import type { DeviceRow, Store } from '@push-server/store'
import { refuseUnavailable, type RequestedBy } from '../activations/index.ts'
import type { Registry } from './register.ts'
import { tokenLengthHint } from './token.ts'

/** Without a status in the request the registry of activations is called. An unknown activation counts as removed. */
export async function updateDeviceStatus(
  { store, activations }: Registry,
  { activationId, activationStatus }: UpdateDeviceStatusRequest,
  caller: RequestedBy,
): Promise<void> {
  // The schema has checked that it is one of the words.
  const status = (activationStatus as ActivationStatus | null | undefined) ?? (await findStatus())
  await store.devices.setStatus(activationId, status)

  async function findStatus(): Promise<ActivationStatus> {
    const found = activations.find({ activationIds: [activationId], caller })
    const [activation] = await found.catch(refuseUnavailable(TEXT.statusUnknown))
    return activation?.status ?? 'REMOVED'
  }
}

/** A page of the user's devices, registered last first. */
export async function listDevices(
  { devices, applications }: Pick<Store, 'devices' | 'applications'>,
  { appId, userId }: ListDevicesQuery,
  page: { page: number; size: number },
): Promise<ListedDevice[]> {
  const application = await applications.find(appId)
  if (!application) throw refusal(TEXT.applicationUnknown)
  return (await devices.list(application.id, userId, page)).map(listedDevice)
}

const listedDevice = ({
  token,
  environment,
  tokenKind,
  registeredAt,
  droppedAt,
  dropReason,
  doubtfulSince,
  doubtReason,
  ...row
}: DeviceRow): ListedDevice => ({
  ...row,
  ...(environment !== null && { environment }),
  ...claimsOf(tokenKind),
  token: shortened(token),
  timestampLastRegistered: timestampOf(registeredAt),
  ...(droppedAt && { timestampDropped: timestampOf(droppedAt) }),
  ...(dropReason !== null && { dropReason }),
  ...(doubtfulSince && { timestampDoubtful: timestampOf(doubtfulSince) }),
  ...(doubtReason !== null && { doubtReason }),
})

/** Removes every registration of the token. It is no error when there is none. */
export async function removeDevice(
  { devices }: Pick<Store, 'devices'>,
  { appId, token }: RemoveDeviceRequest,
): Promise<void> {
  const hint = tokenLengthHint(token)
  if (hint !== undefined) throw invalidRequest([{ fieldName: 'requestObject.token', hint }])
  await devices.remove(appId, token)
}

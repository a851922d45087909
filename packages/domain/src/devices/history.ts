// What became of the devices of a user, for a support desk.
import { refusal, TEXT, timestampOf, type DeviceEvent, type ListDevicesQuery, type Page } from '@push-server/contract'
import type { DeviceEventRow, Store } from '@push-server/store'

/** A page of it, newest first: of devices that are the user's, and of those that were. */
export async function listDeviceEvents(
  { deviceEvents, applications }: Pick<Store, 'deviceEvents' | 'applications'>,
  { appId, userId }: Pick<ListDevicesQuery, 'appId' | 'userId'>,
  page: Page,
): Promise<DeviceEvent[]> {
  const application = await applications.find(appId)
  if (!application) throw refusal(TEXT.applicationUnknown)
  return (await deviceEvents.list(application.id, userId, page)).map(eventOf)
}

const eventOf = ({
  event,
  createdAt,
  reason,
  formerUserId,
  formerActivationId,
  ...device
}: DeviceEventRow): DeviceEvent => ({
  event,
  timestamp: timestampOf(createdAt),
  ...device,
  ...(reason !== null && { reason }),
  ...(formerUserId !== null && { formerUserId }),
  ...(formerActivationId !== null && { formerActivationId }),
})

// Everything that a worker of a platform does: it delivers, and it tries credentials at the provider.
import type { Platform } from '@push-server/contract'
import { credentialChecker } from './applications/index.ts'
import type { Service } from './context.ts'
import { deliveryWorker } from './delivery/index.ts'

/** Any number of them may run. */
export const providerWorker =
  (platform: Platform): Service =>
  async (context) => {
    const stopDelivery = await deliveryWorker(platform)(context)
    const stopChecker = await credentialChecker(platform)(context)
    return async () => {
      await Promise.all([stopDelivery(), stopChecker()])
    }
  }

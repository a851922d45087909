// The service that delivers to Android phones.
import { providerWorker } from '@push-server/domain'

export const fcmWorker = providerWorker('android')

// The service that delivers to Android phones.
import { deliveryWorker } from '@push-server/domain'

export const fcmWorker = deliveryWorker('android')

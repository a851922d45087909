// The service that delivers to iPhones and iPads.
import { deliveryWorker } from '@push-server/domain'

export const apnsWorker = deliveryWorker('ios')

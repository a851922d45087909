// The service that delivers to Huawei phones.
import { deliveryWorker } from '@push-server/domain'

export const hmsWorker = deliveryWorker('huawei')

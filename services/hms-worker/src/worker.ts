// The service that delivers to Huawei phones.
import { providerWorker } from '@push-server/domain'

export const hmsWorker = providerWorker('huawei')

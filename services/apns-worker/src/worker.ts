// The service that delivers to iPhones and iPads.
import { providerWorker } from '@push-server/domain'

export const apnsWorker = providerWorker('ios')

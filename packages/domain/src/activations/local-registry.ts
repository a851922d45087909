// The registry that answers while no PowerAuth Server is configured: it believes what a registration says.
import type { Store } from '@push-server/store'
import type { Activations } from './activations.ts'

/** An activation becomes known by a registration that names its user, and is re-bound by one that names another. */
export const localRegistry = (store: Pick<Store, 'activations'>): Activations => ({
  async resolve(activationId, { appId, userId, status }) {
    const known = await store.activations.find(activationId)
    if (known?.applicationId && known.applicationId !== appId) return known
    const owner = userId ?? known?.userId
    if (owner === undefined) return undefined
    return {
      userId: owner,
      status: status ?? known?.status ?? 'ACTIVE',
      applicationId: known ? known.applicationId : appId,
    }
  },

  keep: (activationId, { userId, status, applicationId }) =>
    store.activations.put({ activationId, userId, status, applicationId }),
})

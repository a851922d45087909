// The registry that answers while no PowerAuth Server is configured: it believes what a registration says.
import type { Store } from '@push-server/store'
import type { Activations } from './activations.ts'

/** An activation becomes known by a registration that names its user, and is re-bound by one that names another. */
export const localRegistry = (store: Pick<Store, 'activations'>): Activations => ({
  async resolve(activationId, { appId, userId, status }) {
    const known = await store.activations.find(activationId)
    if (known?.applicationId && known.applicationId !== appId) return known
    const told = {
      activationId,
      userId: userId ?? known?.userId,
      status: status ?? known?.status ?? 'ACTIVE',
      applicationId: known ? known.applicationId : appId,
    } as const
    if (told.userId === undefined) return undefined
    const current = { ...told, userId: told.userId }
    if (known?.userId !== current.userId || known.status !== current.status) await store.activations.put(current)
    return current
  },
})

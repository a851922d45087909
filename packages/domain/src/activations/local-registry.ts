// The registry for servers without PowerAuth Server: it believes what a registration says.
import type { ActivationRow, Store } from '@push-server/store'
import type { Activation, ActivationHint, Activations } from './activations.ts'

/** An activation becomes known by a registration that names its user, and is re-bound by one that names another. */
export const localRegistry = (store: Pick<Store, 'activations'>): Activations => ({
  keeps: true,
  // It compares with what it knows all the same.
  believes: false,

  async find({ activationIds, hint }) {
    const rows = await store.activations.find(activationIds)
    const known = new Map(rows.map((row) => [row.activationId, row]))
    return activationIds.map((id) => believed(known.get(id), hint))
  },

  applications: async () => [],
  close: async () => {},
})

function believed(known: ActivationRow | undefined, hint: ActivationHint | undefined): Activation | undefined {
  if (!hint || (known?.applicationId && known.applicationId !== hint.appId)) return known
  const userId = hint.userId ?? known?.userId
  if (userId === undefined) return undefined
  const { status = 'ACTIVE', applicationId = hint.appId } = known ?? {}
  return { userId, status: hint.status ?? status, applicationId }
}

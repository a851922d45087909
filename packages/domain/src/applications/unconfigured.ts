// Applications that the registry of activations knows and that do not exist here.
import { PLATFORM_NAMES, TEXT, type PlatformName, type UnconfiguredApplication } from '@push-server/contract'
import type { Store } from '@push-server/store'
import { refuseUnavailable, type Activations, type RequestedBy } from '../activations/index.ts'

const NONE = Object.fromEntries(PLATFORM_NAMES.map((name) => [name, null])) as Record<PlatformName, null>

/** In the order of the registry. */
export async function listUnconfigured(
  { store, activations }: { store: Pick<Store, 'applications'>; activations: Activations },
  caller: RequestedBy,
): Promise<UnconfiguredApplication[]> {
  const appIds = await activations.applications(caller).catch(refuseUnavailable(TEXT.unconfiguredUnknown))
  const configured = new Set(await store.applications.known(appIds))
  return appIds.filter((appId) => !configured.has(appId)).map((appId) => ({ appId, ...NONE }))
}

// Which credentials a push has succeeded with. Until one has, a doubtful token says as much about them as about its device: it is kept,
// and its device is dropped when they are proven.
import type { Platform } from '@push-server/contract'
import type { DeadToken, DeliveryRow, UsedCredentials } from '@push-server/store'
import type { Context } from '../context.ts'

export type ProofDevice = Pick<DeliveryRow, 'environment' | 'tokenKind'>

/** What one success says nothing about beyond itself: the environments of APNs, the versions of HMS, which have credentials of their own. */
export type ProofScope = DeadToken['scope']

export const scopeOf = ({ environment, tokenKind }: ProofDevice): ProofScope => environment ?? tokenKind

export interface CredentialProofs {
  succeeded(used: UsedCredentials, scope: ProofScope): void
  /** Resolves with those of the doubtful tokens whose credentials are proven. The others are kept in the store. */
  admit(used: UsedCredentials, tokens: readonly DeadToken[]): Promise<readonly DeadToken[]>
  /** Resolves once what has succeeded is stored. */
  close(): Promise<void>
}

export function openCredentialProofs(
  { log, metrics, store }: Pick<Context, 'log' | 'metrics' | 'store'>,
  platform: Platform,
): CredentialProofs {
  /** The proven version, by application and scope. */
  const proven = new Map<number, Map<ProofScope, number | null>>()
  const storing = new Set<Promise<void>>()

  const isProven = ({ applicationId, credentialsVersion }: UsedCredentials, scope: ProofScope) =>
    proven.get(applicationId)?.get(scope) === credentialsVersion

  function remember({ applicationId, credentialsVersion }: UsedCredentials, scope: ProofScope): void {
    const versions = proven.get(applicationId)
    if (versions) versions.set(scope, credentialsVersion)
    else proven.set(applicationId, new Map([[scope, credentialsVersion]]))
  }

  async function prove(used: UsedCredentials, scope: ProofScope): Promise<void> {
    const { applicationId } = used
    try {
      const dropped = await store.doubts.prove(used, scope ?? '')
      if (dropped === 0) return
      metrics.dropped(platform, dropped)
      log.info(
        { applicationId, platform, devices: dropped },
        'devices with doubtful tokens dropped: the credentials work',
      )
    } catch (error) {
      proven.get(applicationId)?.delete(scope)
      log.warn({ err: error, applicationId, platform }, 'proving credentials failed, the next success repeats it')
    }
  }

  return {
    succeeded(used, scope) {
      if (isProven(used, scope)) return
      remember(used, scope)
      const stored = prove(used, scope).finally(() => storing.delete(stored))
      storing.add(stored)
    },
    async admit(used, tokens) {
      const unknown = tokens.filter(({ scope = null }) => !isProven(used, scope))
      if (unknown.length > 0)
        for (const scope of await store.doubts.hold(used, unknown))
          remember(used, scope === '' ? null : (scope as ProofScope))
      return tokens.filter(({ scope = null }) => isProven(used, scope))
    },
    close: async () => void (await Promise.all(storing)),
  }
}

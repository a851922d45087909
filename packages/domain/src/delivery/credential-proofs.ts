// Which credentials a push has succeeded with. Until one has, a doubtful token says as much about them as about its device: it is kept,
// and its device is dropped when they are proven.
import type { Platform } from '@push-server/contract'
import type { DeadToken, DeliveryRow, UsedCredentials } from '@push-server/store'
import type { Context } from '../context.ts'

type Environment = DeliveryRow['environment']

export interface CredentialProofs {
  /** A push to a device of this environment has succeeded. */
  succeeded(used: UsedCredentials, environment: Environment): void
  /** Resolves with those of the doubtful tokens whose credentials are proven. The others are kept in the store. */
  admit(used: UsedCredentials, tokens: readonly DeadToken[]): Promise<readonly DeadToken[]>
  /** Resolves once what has succeeded is stored. */
  close(): Promise<void>
}

export function openCredentialProofs(
  { log, metrics, store }: Pick<Context, 'log' | 'metrics' | 'store'>,
  platform: Platform,
): CredentialProofs {
  /** The proven version, by application and environment. */
  const proven = new Map<number, Map<Environment, number | null>>()
  const storing = new Set<Promise<void>>()

  const isProven = ({ applicationId, credentialsVersion }: UsedCredentials, environment: Environment) =>
    proven.get(applicationId)?.get(environment) === credentialsVersion

  function remember({ applicationId, credentialsVersion }: UsedCredentials, environment: Environment): void {
    const versions = proven.get(applicationId)
    if (versions) versions.set(environment, credentialsVersion)
    else proven.set(applicationId, new Map([[environment, credentialsVersion]]))
  }

  async function prove(used: UsedCredentials, environment: Environment): Promise<void> {
    const { applicationId } = used
    try {
      const dropped = await store.doubts.prove(used, environment ?? '')
      if (dropped === 0) return
      metrics.dropped(platform, dropped)
      log.info(
        { applicationId, platform, devices: dropped },
        'devices with doubtful tokens dropped: the credentials work',
      )
    } catch (error) {
      proven.get(applicationId)?.delete(environment)
      log.warn({ err: error, applicationId, platform }, 'proving credentials failed, the next success repeats it')
    }
  }

  return {
    succeeded(used, environment) {
      if (isProven(used, environment)) return
      remember(used, environment)
      const stored = prove(used, environment).finally(() => storing.delete(stored))
      storing.add(stored)
    },
    async admit(used, tokens) {
      const unknown = tokens.filter(({ environment = null }) => !isProven(used, environment))
      if (unknown.length > 0)
        for (const environment of await store.doubts.hold(used, unknown))
          remember(used, environment === '' ? null : (environment as Environment))
      return tokens.filter(({ environment = null }) => isProven(used, environment))
    },
    close: async () => void (await Promise.all(storing)),
  }
}

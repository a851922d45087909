// Protection against DNS rebinding: while no key is required, a page of another site could call a server on the machine of the
// page's reader. Only the name by which it calls the server gives it away.
import { ApiError } from '@push-server/contract'
import { isLocalHost, isLoopback, type Config } from '@push-server/runtime'
import type { Access } from './access.ts'

interface Parts {
  config: Pick<Config, 'host' | 'allowedHosts'>
  access: Pick<Access, 'isOn'>
}

/** Undefined: the name is allowed, and nothing has to be waited for. */
export type HostCheck = (host: string | undefined) => Promise<void> | undefined

/** Refuses with 421 a `Host` that is neither loopback nor in ALLOWED_HOSTS, while HOST is loopback and no key is required. */
export function openHostCheck({ config, access }: Parts): HostCheck {
  const { host, allowedHosts = [] } = config
  if (!isLoopback(host)) return () => undefined
  // Callers use the same name again and again.
  let allowed: string | undefined
  return (given) => {
    if (given !== undefined && given === allowed) return undefined
    if (!isLocalHost(given, allowedHosts)) return requireKeys(access)
    allowed = given
    return undefined
  }
}

async function requireKeys(access: Parts['access']): Promise<void> {
  if (await access.isOn()) return
  throw new ApiError(
    'ERROR_REQUEST',
    'This Host is not allowed while no API key is required: add its name to ALLOWED_HOSTS, or create a key',
    { statusCode: 421 },
  )
}

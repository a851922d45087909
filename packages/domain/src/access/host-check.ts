// DNS rebinding: while nobody is asked for a key, the only thing between a page of another site and a server on its reader's
// own machine is the name by which the page calls it.
import { ApiError } from '@push-server/contract'
import { isLocalHost, isLoopback, type Config } from '@push-server/runtime'
import type { Access } from './access.ts'

interface Parts {
  config: Pick<Config, 'host' | 'allowedHosts'>
  access: Pick<Access, 'isOn'>
}

/** Refuses with 421 a `Host` that is neither loopback nor in ALLOWED_HOSTS, while HOST is loopback and nobody is asked for a key. */
export function openHostCheck({ config, access }: Parts): (host: string | undefined) => Promise<void> {
  const { host, allowedHosts = [] } = config
  if (!isLoopback(host)) return async () => {}
  return async (given) => {
    if (isLocalHost(given, allowedHosts) || (await access.isOn())) return
    throw new ApiError(
      'ERROR_REQUEST',
      'This Host is not taken while nobody is asked for an API key: add its name to ALLOWED_HOSTS, or make a key',
      { statusCode: 421 },
    )
  }
}

// How a provider is reached, from the settings: whom to trust beside the built-in authorities, and through which proxy.
import { readFileSync } from 'node:fs'
import type { ProviderName } from '@push-server/contract'
import type { Http2Options, Proxy } from '@push-server/http2'
import type { Config } from '@push-server/runtime'

/** For every call of the provider, those for access tokens included. Throws when the file of the authority cannot be read. */
export function networkOf(config: Config, provider: ProviderName): Pick<Http2Options, 'ca' | 'proxy'> {
  const caFile = config[`${provider}CaFile`]
  return { ca: caFile === undefined ? undefined : readFileSync(caFile), proxy: proxyOf(config, provider) }
}

/** Undefined: directly. */
const proxyOf = (config: Config, provider: ProviderName): Proxy | undefined =>
  config[`${provider}ProxyEnabled`]
    ? {
        host: config[`${provider}ProxyHost`],
        port: config[`${provider}ProxyPort`],
        username: config[`${provider}ProxyUsername`],
        password: config[`${provider}ProxyPassword`],
      }
    : undefined

// The proxy of a provider, from the settings.
import type { ProviderName } from '@push-server/contract'
import type { Proxy } from '@push-server/http2'
import type { Config } from '@push-server/runtime'

/** For every call of the provider, those for access tokens included; undefined: direct. */
export const proxyOf = (config: Config, provider: ProviderName): Proxy | undefined =>
  config[`${provider}ProxyEnabled`]
    ? {
        host: config[`${provider}ProxyHost`],
        port: config[`${provider}ProxyPort`],
        username: config[`${provider}ProxyUsername`],
        password: config[`${provider}ProxyPassword`],
      }
    : undefined

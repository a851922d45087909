// Opens the registry of activations: PowerAuth Server where one is configured, otherwise our own.
import { readFileSync } from 'node:fs'
import { ConfigError, type Config } from '@push-server/runtime'
import type { Store } from '@push-server/store'
import type { Activations } from './activations.ts'
import { localRegistry } from './local-registry.ts'
import { openPowerAuth } from './power-auth.ts'

export function openActivations(config: Config, store: Pick<Store, 'activations'>): Activations {
  if (config.powerauthUrl === undefined) return localRegistry(store)
  return openPowerAuth({
    url: config.powerauthUrl,
    api: config.powerauthApi,
    believes: !config.registrationAlwaysAsk,
    clientToken: config.powerauthClientToken,
    clientSecret: config.powerauthClientSecret,
    connectTimeoutMs: config.powerauthConnectTimeout,
    responseTimeoutMs: config.powerauthResponseTimeout,
    connections: config.powerauthConnections,
    ...(config.powerauthCaFile !== undefined && { ca: readAuthority(config.powerauthCaFile) }),
    acceptInvalidCertificate: config.powerauthAcceptInvalidSslCertificate,
  })
}

function readAuthority(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new ConfigError(`POWERAUTH_CA_FILE: ${(error as Error).message}`, { cause: error })
  }
}

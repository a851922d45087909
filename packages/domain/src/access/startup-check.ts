// Before the API listens: creates the operator's bootstrap key, and refuses to start when anybody could call by oversight.
import { ConfigError, isLoopback, type Config, type Logger } from '@push-server/runtime'
import type { Store } from '@push-server/store'
import { KEY_FORMAT, readKey } from './key-text.ts'
import { createBootstrapKey } from './keys.ts'

interface StartupCheck {
  config: Pick<Config, 'host' | 'auth' | 'apiKeyBootstrap'>
  store: Pick<Store, 'apiKeys'>
  log: Logger
}

/** Throws a ConfigError when callers from elsewhere could call without a key. */
export async function checkStartup({ config, store, log }: StartupCheck): Promise<void> {
  const { host, auth, apiKeyBootstrap } = config
  if (apiKeyBootstrap !== undefined) await bootstrap({ store, log }, apiKeyBootstrap)
  if (auth === 'none') {
    if (!isLoopback(host)) log.warn({ host }, 'authentication is off (AUTH=none) and the address is not loopback')
    return
  }
  if (auth === undefined && isLoopback(host)) return
  if (await store.apiKeys.exist()) return
  if (auth === 'keys') return log.warn('no API key exists, refusing every request (npm run api-key -- create)')
  throw new ConfigError(
    `HOST: ${host} can be reached from elsewhere, and there is no API key yet. Set API_KEY_BOOTSTRAP, or make a key with ` +
      'npm run api-key -- create. AUTH=none lets everybody call.',
  )
}

async function bootstrap({ store, log }: Pick<StartupCheck, 'store' | 'log'>, text: string): Promise<void> {
  const key = readKey(text)
  if (!key) throw new ConfigError(`API_KEY_BOOTSTRAP: the value given is not ${KEY_FORMAT}`)
  if (await createBootstrapKey(store.apiKeys, key)) log.info({ key: key.id }, 'bootstrap API key created')
  else if (!(await store.apiKeys.find(key.id)))
    log.warn({ key: key.id }, 'API_KEY_BOOTSTRAP ignored: other API keys exist')
}

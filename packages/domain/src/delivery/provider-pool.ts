// One provider per application, for the newest version of its credentials. Older providers finish their pushes and close.
import type { Platform } from '@push-server/contract'
import { PROVIDERS, type Provider } from '@push-server/providers'
import type { Context } from '../context.ts'
import { reportOf, type ProviderReport } from './provider-report.ts'

export interface ProviderPool {
  /** Undefined when the application has no credentials (any more). Rejects with InvalidCredentials when they are unusable. */
  take(applicationId: number, version: number): Promise<Provider | undefined>
  report(): ProviderReport
  close(): Promise<void>
}

interface Entry {
  appId: string
  version: number
  provider: Provider
  /** On the clock of `performance`. */
  usedAt: number
}

export function openProviderPool({ config, log, store }: Context, platform: Platform): ProviderPool {
  const entries = new Map<number, Entry>()
  const opening = new Map<number, Promise<Entry | undefined>>()
  const closing = new Set<Promise<void>>()

  function retire({ provider }: Entry): void {
    const closed = provider
      .close()
      .catch((error: unknown) => log.warn({ err: error, platform }, 'provider close failed'))
      .finally(() => closing.delete(closed))
    closing.add(closed)
  }

  /** Opens the stored credentials, which may be newer than those that the chunk was claimed with. */
  async function open(applicationId: number): Promise<Entry | undefined> {
    const credentials = await store.credentials.open({ applicationId, platform })
    if (!credentials) return undefined
    const provider = PROVIDERS[platform].open(credentials, {
      config,
      log,
      tokens: store.providerTokens,
      now: store.clock.now,
    })
    const { appId, version } = credentials
    const entry = { appId, version, provider, usedAt: performance.now() }
    const former = entries.get(applicationId)
    entries.set(applicationId, entry)
    if (former) retire(former)
    return entry
  }

  function retireIdle(): void {
    const since = performance.now() - config.providerIdle
    for (const [applicationId, entry] of entries)
      if (entry.usedAt < since) {
        entries.delete(applicationId)
        retire(entry)
      }
  }

  const timer = setInterval(retireIdle, config.providerIdle / 10).unref()
  return {
    async take(applicationId, version) {
      for (;;) {
        const known = entries.get(applicationId)
        if (known && known.version >= version) {
          known.usedAt = performance.now()
          return known.provider
        }
        const pending = opening.get(applicationId) ?? open(applicationId).finally(() => opening.delete(applicationId))
        opening.set(applicationId, pending)
        const opened = await pending
        // A provider that was opening already may have read the credentials before they changed.
        if (!opened || opened.version >= version) return opened?.provider
      }
    },
    report: () => reportOf([...entries.values()].map(({ appId, provider }) => ({ appId, state: provider.state() }))),
    async close() {
      clearInterval(timer)
      for (const entry of entries.values()) retire(entry)
      entries.clear()
      await Promise.all(closing)
    },
  }
}

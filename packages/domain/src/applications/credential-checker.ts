// The worker's part of checks of credentials: it takes them from their rows, and tries the credentials at their provider.
import type { Platform } from '@push-server/contract'
import { PROVIDERS, runTrial, type Trial } from '@push-server/providers'
import type { Service } from '../context.ts'

/** How long a check may wait for a worker. A query of an empty table costs next to nothing, a listening connection more. */
const POLL_MS = 500
/** Within the time that the gateway waits, with the wait for a worker. */
const PROVIDER_MS = 7_000

/** Any number of workers may run it: each check is taken once. */
export const credentialChecker =
  (platform: Platform): Service =>
  async ({ config, log, store }) => {
    const kind = PROVIDERS[platform]
    const { credentialChecks: checks, credentials, providerTokens: tokens, clock } = store
    let working: Promise<void> | undefined
    const stopping = new AbortController()

    async function makeAll(): Promise<void> {
      while (!stopping.signal.aborted) {
        const check = await checks.take(platform)
        if (!check) return
        const { id, applicationId } = check
        const result = await make(applicationId)
        await checks.finish(id, result)
        log.info({ applicationId, platform, ...result }, 'credentials checked')
      }
    }

    async function make(applicationId: number): Promise<Trial> {
      const opened = await credentials.open({ applicationId, platform })
      if (!opened) return { accepted: false, reason: 'NotConfigured', ms: 0, tried: kind.trial.tried }
      return runTrial(kind, opened, { config, log, tokens, now: clock.now, timeoutMs: PROVIDER_MS })
    }

    const timer = setInterval(() => {
      working ??= makeAll()
        .catch((error: unknown) => {
          // What is unavailable is reported by every other part of the worker.
          if (!store.isUnavailable(error)) log.warn({ err: error, platform }, 'credentials check failed')
        })
        .finally(() => (working = undefined))
    }, POLL_MS)
    return async () => {
      stopping.abort()
      clearInterval(timer)
      await working
    }
  }

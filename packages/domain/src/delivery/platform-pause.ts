// Pauses of a platform, in the delivery of one chunk: what the provider says of the credentials pauses the platform when the chunk is
// released, and a probe that was accepted resumes it.
import type { Platform } from '@push-server/contract'
import { isAboutToken, type Outcome } from '@push-server/providers'
import type { Logger } from '@push-server/runtime'
import type { ClaimedChunk, Store } from '@push-server/store'

export interface PlatformPause {
  learn(outcome: Outcome): void
  /** The credentials are refused, by the provider or before it was asked. */
  refuse(reason: string): void
  /** Pauses or resumes the platform after the chunk's release. Resolves with true while it is paused. */
  settle(): Promise<boolean>
}

export interface PlatformPauseOptions {
  store: Pick<Store, 'pauses'>
  log: Logger
  platform: Platform
  chunk: Pick<ClaimedChunk, 'id' | 'applicationId' | 'credentialsVersion' | 'probe'>
  /** Called when the provider refuses the credentials: no further push may start. */
  onRefused(): void
}

export function openPlatformPause({ store, log, platform, chunk, onRefused }: PlatformPauseOptions): PlatformPause {
  const { applicationId, credentialsVersion: version } = chunk
  /** The first reason for which the credentials were refused. */
  let reason: string | undefined
  /** The provider accepted the credentials: it sent a response about a token. */
  let isProven = false

  async function endProbe(): Promise<boolean> {
    if (isProven && reason === undefined) {
      await store.pauses.resume({ applicationId, platform }, { all: false })
      log.warn({ applicationId, platform }, 'platform resumed: probe succeeded')
      return false
    }
    await store.pauses.probed({ applicationId, platform }, chunk.id)
    log.warn({ applicationId, platform, reason }, 'platform stays paused: probe failed')
    return true
  }

  /** False as well when newer credentials have come: they are not to blame. */
  async function pauseIfRefused(): Promise<boolean> {
    if (reason === undefined || version === null) return false
    const paused = await store.pauses.pause({ applicationId, platform, version, reason })
    if (paused)
      log.error(
        { applicationId, ...paused, platform, reason },
        'platform paused: credentials refused; it resumes with new credentials, a successful probe or by request',
      )
    return paused !== undefined
  }

  return {
    learn(outcome) {
      if (isAboutToken(outcome)) isProven = true
      else if (outcome.kind === 'credentials-error') {
        reason ??= outcome.reason
        onRefused()
      }
    },
    refuse(refusal) {
      reason = refusal
    },
    settle: async () => (chunk.probe && (await endProbe())) || (await pauseIfRefused()),
  }
}

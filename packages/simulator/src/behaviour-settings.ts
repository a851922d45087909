// The behaviour of a provider as a whole, whatever the tokens: its latency, its rate limit, its reachability.
import type { Platform } from '@push-server/contract'
import type { Response } from './behaviour.ts'
import { createLatency, type Latency, type LatencyMs } from './latency.ts'
import { createBucket, type Rate } from './rate.ts'
import type { Disconnect, Wire } from './wire/listener.ts'

/** The settings to change; members that are left out stay as they are. */
export interface BehaviourSettings {
  /** Latency of responses; null: that of the other providers. */
  latencyMs?: LatencyMs | null | undefined
  /** Null: no limit. */
  rate?: Rate | null | undefined
  /** Maximum number of streams on each connection, open ones included; null: the usual number. */
  streams?: number | null | undefined
  /** How long a new connection waits before its TLS handshake. */
  handshakeMs?: number | undefined
  /** Connections are cut, and refused from then on. */
  down?: boolean | undefined
}

export interface BehaviourControl {
  /** Does the work when the response of a request is due: after the latency, and `moreMs`. */
  delay(work: () => void, moreMs?: number): void
  /** Counts the pushes against the rate. Returns the response when they exceed it. */
  excess(pushes: number): Response | undefined
  change(control: BehaviourSettings): Promise<void>
  /** Ends the connections that are open. */
  disconnect(manner: Disconnect): void
  /** Has to be called before `change` and `disconnect`. */
  attach(wire: Wire): void
}

const STATUS: Record<Platform, 429 | 503> = { ios: 503, android: 429, huawei: 503 }

export function createBehaviourControl(platform: Platform, common: Latency): BehaviourControl {
  let latency: Latency | undefined
  let rate: Rate | undefined
  let take = (_pushes: number) => true
  let wire: Wire | undefined

  function limit(next: Rate | undefined) {
    rate = next
    take = next ? createBucket(next, () => performance.now()) : () => true
  }

  return {
    delay: (work, moreMs) => (latency ?? common).delay(work, moreMs),
    excess(pushes) {
      if (take(pushes)) return undefined
      const { status = STATUS[platform], retryAfter = 1 } = rate ?? {}
      return { status, retryAfter: retryAfter ?? undefined }
    },
    async change({ latencyMs, rate: nextRate, streams, handshakeMs, down }) {
      if (latencyMs !== undefined) latency = latencyMs === null ? undefined : createLatency(latencyMs)
      if (nextRate !== undefined) limit(nextRate ?? undefined)
      if (streams !== undefined) wire?.setStreams(streams ?? undefined)
      if (handshakeMs !== undefined) wire?.setHandshake(handshakeMs)
      if (down !== undefined) await wire?.setDown(down)
    },
    disconnect: (manner) => wire?.disconnect(manner),
    attach(one) {
      wire = one
    },
  }
}

// How many messages a key and an application may send a second. Each gateway process counts for itself. No request queries the
// database for it: quotas of keys come with the cache of keys, quotas of applications with the poll of the backlog.
import { ApiError, tooManyRequests } from '@push-server/contract'
import type { Config } from '@push-server/runtime'
import type { Caller } from '../access/index.ts'
import type { Context } from '../context.ts'
import { createTokenBucket, type Rate, type TokenBucket } from './token-bucket.ts'

/** A quota of the table. The settings hold for members that are null. */
export interface RateQuota {
  messagesPerSecond: number | null
  burst: number | null
}

/** The share of the quotas that one request takes. */
export interface Allowance {
  /** Takes `count` messages from the quotas of the key and of the application. Throws when one lacks them, and takes none then. */
  take(appId: string, count: number): void
  /** Returns what was taken, since nothing was stored. */
  giveBack(): void
  /** The rest of the quota, as headers; none where no quota applies. */
  headers(): Record<string, string>
}

export interface Quotas {
  /** `caller`: whose key it is, if keys are required. */
  allowanceOf(caller: Caller | null): Allowance
}

export interface QuotaOptions {
  config: Pick<Config, 'quotaKeyRate' | 'quotaAppRate' | 'batchSize'>
  metrics: Pick<Context['metrics'], 'refusal'>
  /** The quota of an application in the table. */
  ofApplication(appId: string): RateQuota | undefined
  /** Milliseconds on a clock that never goes back. */
  now?: () => number
}

/** One quota that applies to a request. */
interface AppliedQuota {
  kind: 'key' | 'application'
  subject: string
  bucket: TokenBucket
}

export function createQuotas({ config, metrics, ofApplication, now = () => performance.now() }: QuotaOptions): Quotas {
  const buckets = { key: new Map<string, TokenBucket>(), application: new Map<string, TokenBucket>() }
  const defaults = { key: config.quotaKeyRate, application: config.quotaAppRate }

  function partOf(kind: AppliedQuota['kind'], subject: string, quota: RateQuota | null | undefined): AppliedQuota[] {
    const rate = rateOf(quota, defaults[kind], config.batchSize)
    if (!rate) {
      buckets[kind].delete(subject)
      return []
    }
    const bucket = buckets[kind].get(subject) ?? createTokenBucket(rate, now())
    const { perSecond, burst } = bucket.rate()
    if (perSecond !== rate.perSecond || burst !== rate.burst) bucket.setRate(rate, now())
    return [{ kind, subject, bucket }]
  }

  function check({ kind, subject, bucket }: AppliedQuota, count: number): void {
    const { perSecond, burst } = bucket.rate()
    const seconds = bucket.secondsUntil(count, now())
    if (count > burst) {
      metrics.refusal(`${kind}-rate`)
      throw new ApiError(
        'ERROR_TOO_LARGE',
        `The request has ${count} messages, and the quota of ${nameOf(kind, subject)} allows ${burst} at once; nothing was stored`,
      )
    }
    if (seconds === 0) return
    metrics.refusal(`${kind}-rate`)
    throw tooManyRequests(
      `The quota of ${nameOf(kind, subject)} is ${perSecond} messages a second; nothing was stored`,
      Math.ceil(seconds),
    )
  }

  return {
    allowanceOf(caller) {
      let parts: AppliedQuota[] = []
      let taken = 0
      return {
        take(appId, count) {
          parts = [
            ...(caller ? partOf('key', caller.id, caller.quota) : []),
            ...partOf('application', appId, ofApplication(appId)),
          ]
          for (const part of parts) check(part, count)
          for (const { kind, subject, bucket } of parts) {
            bucket.take(count, now())
            // Kept only once something was taken: a full bucket holds no state, and callers may send any name of an application.
            buckets[kind].set(subject, bucket)
          }
          taken = count
        },
        giveBack() {
          for (const { kind, subject, bucket } of parts) {
            bucket.giveBack(taken, now())
            if (bucket.remaining(now()) === bucket.rate().burst) buckets[kind].delete(subject)
          }
          taken = 0
        },
        headers: () => headersOf(parts, now()),
      }
    },
  }
}

/** Undefined = unlimited. By default the burst is the rate of one second, and one batch at least. */
function rateOf(
  quota: RateQuota | null | undefined,
  byDefault: number | undefined,
  batchSize: number,
): Rate | undefined {
  const perSecond = quota?.messagesPerSecond ?? byDefault
  return perSecond === undefined ? undefined : { perSecond, burst: quota?.burst ?? Math.max(perSecond, batchSize) }
}

const nameOf = (kind: AppliedQuota['kind'], subject: string) =>
  kind === 'key' ? `this API key` : `application ${subject}`

/**
 * The fields of draft-ietf-httpapi-ratelimit-headers-06, of the quota with the least left: messages at once, messages left, and
 * seconds until all of them are there again.
 */
function headersOf(parts: readonly AppliedQuota[], now: number): Record<string, string> {
  const [least] = parts.toSorted((a, b) => a.bucket.remaining(now) - b.bucket.remaining(now))
  if (!least) return {}
  const { burst } = least.bucket.rate()
  return {
    'ratelimit-limit': String(burst),
    'ratelimit-remaining': String(least.bucket.remaining(now)),
    'ratelimit-reset': String(Math.ceil(least.bucket.secondsUntil(burst, now))),
  }
}

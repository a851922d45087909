// How many messages a key and an application may send a second. Each gateway process counts for itself; no request reads the
// database for it: values of keys come with the cache of keys, values of applications with the look at the backlog.
import { ApiError, tooManyRequests } from '@push-server/contract'
import type { Config } from '@push-server/runtime'
import type { Caller } from '../access/index.ts'
import type { Context } from '../context.ts'
import { createTokenBucket, type Rate, type TokenBucket } from './token-bucket.ts'

/** A quota of the table: what is null there comes from the settings. */
export interface RateQuota {
  messagesPerSecond: number | null
  burst: number | null
}

/** What one request takes from the quotas. */
export interface Allowance {
  /** Takes `count` messages from the quota of the key and of the application, or from none: then it throws. */
  take(appId: string, count: number): void
  /** Nothing was stored after all. */
  giveBack(): void
  /** What is left, as headers; none where no quota applies. */
  headers(): Record<string, string>
}

export interface Quotas {
  /** `caller`: whose key it is, if keys are required. */
  allowanceOf(caller: Caller | null): Allowance
}

export interface QuotaOptions {
  config: Pick<Config, 'quotaKeyRate' | 'quotaAppRate' | 'batchSize'>
  metrics: Pick<Context['metrics'], 'refusal'>
  /** What the table says of an application. */
  ofApplication(appId: string): RateQuota | undefined
  /** Milliseconds on a clock that never goes back. */
  now?: () => number
}

/** One quota that applies to a request. */
interface Part {
  kind: 'key' | 'application'
  subject: string
  bucket: TokenBucket
}

export function createQuotas({ config, metrics, ofApplication, now = () => performance.now() }: QuotaOptions): Quotas {
  const buckets = { key: new Map<string, TokenBucket>(), application: new Map<string, TokenBucket>() }
  const defaults = { key: config.quotaKeyRate, application: config.quotaAppRate }

  function partOf(kind: Part['kind'], subject: string, quota: RateQuota | null | undefined): Part[] {
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

  function check({ kind, subject, bucket }: Part, count: number): void {
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
      let parts: Part[] = []
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
            // Kept only once something was taken: a full bucket says nothing, and names of applications are anybody's choice.
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

/** Undefined = unlimited. The burst is a second's worth by default, and never less than one batch then. */
function rateOf(
  quota: RateQuota | null | undefined,
  byDefault: number | undefined,
  batchSize: number,
): Rate | undefined {
  const perSecond = quota?.messagesPerSecond ?? byDefault
  return perSecond === undefined ? undefined : { perSecond, burst: quota?.burst ?? Math.max(perSecond, batchSize) }
}

const nameOf = (kind: Part['kind'], subject: string) => (kind === 'key' ? `this API key` : `application ${subject}`)

/**
 * The fields of draft-ietf-httpapi-ratelimit-headers-06, of the quota with the least left: messages at once, messages left, and
 * seconds until all of them are there again.
 */
function headersOf(parts: readonly Part[], now: number): Record<string, string> {
  const [least] = parts.toSorted((a, b) => a.bucket.remaining(now) - b.bucket.remaining(now))
  if (!least) return {}
  const { burst } = least.bucket.rate()
  return {
    'ratelimit-limit': String(burst),
    'ratelimit-remaining': String(least.bucket.remaining(now)),
    'ratelimit-reset': String(Math.ceil(least.bucket.secondsUntil(burst, now))),
  }
}

// The rate limit of a provider over all its senders: a token bucket. Pure.

export interface Rate {
  /** On average. */
  perSecond: number
  /** Maximum number of pushes at once, after a rest; by default a tenth of `perSecond`. */
  burst?: number | undefined
  /** Status of the response beyond it; by default the provider's usual one: 429 of FCM, 503 of the others. */
  status?: 429 | 503 | undefined
  /** By default 1 s; null for none. */
  retryAfter?: number | null | undefined
}

/** Returns a function that takes tokens, and returns whether there were enough of them. `now`: a clock in ms. */
export function createBucket({ perSecond, burst = perSecond / 10 }: Rate, now: () => number) {
  const most = Math.max(1, burst)
  let tokens = most
  let filledAt = now()
  return (count: number): boolean => {
    const time = now()
    tokens = Math.min(most, tokens + ((time - filledAt) / 1000) * perSecond)
    filledAt = time
    // A request of more pushes than there is room for passes when the bucket is full, and is paid off afterwards.
    if (tokens < Math.min(count, most)) return false
    tokens -= count
    return true
  }
}

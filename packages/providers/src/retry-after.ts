// The Retry-After header, which all three providers use. Pure.

const LONGEST = 24 * 3_600_000
const SECONDS = /^\d+$/
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/

/**
 * Reads the value of a `retry-after` header: whole seconds or an HTTP date (RFC 9110 §10.2.3, all three forms of §5.6.7).
 * Returns ms since the epoch, never before `now` nor more than a day after it; undefined for an unreadable value.
 */
export function retryAfterTime(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? ''
  if (SECONDS.test(text)) return within(now, now + Number(text) * 1_000)
  if (!HTTP_DATE.test(text)) return undefined
  // The asctime format has no zone and means GMT as well.
  const time = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`)
  return Number.isNaN(time) ? undefined : within(now, time)
}

const within = (now: number, time: number) => Math.min(Math.max(time, now), now + LONGEST)

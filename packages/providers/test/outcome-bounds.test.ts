// Whatever a provider says, what leaves it can be kept and makes sense. A table, and every text and time that chance makes.
import fc from 'fast-check'
import t from 'tap'
import { boundOutcome } from '../src/outcome-bounds.ts'
import type { Outcome } from '../src/provider.ts'

const NOW = Date.UTC(2026, 10, 28)
const DAY = 24 * 3_600_000

t.test('times and texts within their bounds', async (t) => {
  const gone = (since?: number): Outcome => ({
    kind: 'token-gone',
    reason: 'Unregistered',
    ...(since !== undefined && { since }),
  })
  const retry = (notBefore?: number): Outcome => ({
    kind: 'retry',
    reason: 'Busy',
    ...(notBefore !== undefined && { notBefore }),
  })
  const failed = (reason: string): Outcome => ({ kind: 'failed', reason })
  const table: [name: string, received: Outcome, bounded: Outcome][] = [
    ['no time', gone(), gone()],
    ['a time of late', gone(NOW - DAY), gone(NOW - DAY)],
    ['nobody learns of a death before it', gone(NOW + 1), gone(NOW)],
    ['before all time', gone(-1e15), gone(0)],
    ['for ever', gone(Infinity), gone(NOW)],
    ['no number', gone(NaN), gone()],
    ['soon', retry(NOW + 1000), retry(NOW + 1000)],
    ['in a year', retry(NOW + 365 * DAY), retry(NOW + DAY)],
    ['never', retry(Infinity), retry(NOW + DAY)],
    ['no number to come back at', retry(NaN), retry()],
    ['a reason as it is', failed('PayloadEmpty'), failed('PayloadEmpty')],
    ['NUL and half a pair', failed('a\0\ud800b'), failed('a\ufffdb')],
    ['cut in the middle of a pair', failed('x'.repeat(254) + '😀'), failed('x'.repeat(254) + '\ufffd')],
    ['a name', { kind: 'sent', id: 'projects/p/messages/1' }, { kind: 'sent', id: 'projects/p/messages/1' }],
    ['a name without end', { kind: 'sent', id: 'y'.repeat(5000) }, { kind: 'sent', id: 'y'.repeat(255) }],
    ['no name', { kind: 'sent' }, { kind: 'sent' }],
  ]
  for (const [name, received, bounded] of table)
    t.same(
      boundOutcome(received, () => NOW),
      bounded,
      name,
    )
})

t.test('every text can be kept', async (t) => {
  const text = fc.string({
    unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
    maxLength: 600,
  })
  fc.assert(
    fc.property(text, fc.double(), (reason, time) => {
      for (const received of [
        { kind: 'credentials-error', reason },
        { kind: 'token-doubtful', reason },
        { kind: 'token-gone', reason, since: time },
        { kind: 'retry', reason, notBefore: time, unsent: true },
      ] as const) {
        const bounded = boundOutcome(received, () => NOW)
        if (!('reason' in bounded)) return false
        const { reason: kept } = bounded
        if (kept.length > 255 || kept.includes('\0') || !kept.isWellFormed()) return false
        const { since = 0, notBefore = NOW } = bounded as { since?: number; notBefore?: number }
        if (!(since >= 0 && since <= NOW)) return false
        if (!(notBefore <= NOW + DAY)) return false
      }
      return true
    }),
  )
  t.pass('kept')
})

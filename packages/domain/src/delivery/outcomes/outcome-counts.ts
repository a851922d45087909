// Counts of a chunk's attempts by outcome and reason, for the metrics.

export type CountedOutcome = 'sent' | 'failed' | 'retried' | 'paused'

export interface OutcomeCounts {
  add(outcome: CountedOutcome, reason: string): void
  entries(): [outcome: CountedOutcome, reason: string, count: number][]
}

export function createOutcomeCounts(): OutcomeCounts {
  const byOutcome = new Map<CountedOutcome, Map<string, number>>()
  return {
    add(outcome, reported) {
      // A colon precedes texts of the transport: as a label each text would be a series of its own for ever.
      const reason = reported === '' ? reported : reported.replace(/:.*/s, '')
      let byReason = byOutcome.get(outcome)
      if (!byReason) byOutcome.set(outcome, (byReason = new Map()))
      byReason.set(reason, (byReason.get(reason) ?? 0) + 1)
    },
    entries: () =>
      [...byOutcome].flatMap(([outcome, byReason]) =>
        [...byReason].map(([reason, count]): [CountedOutcome, string, number] => [outcome, reason, count]),
      ),
  }
}

// What became of a run, as the API tells it.
import { refusal, TEXT, timestampOf, type CampaignFailures, type CampaignProgress } from '@push-server/contract'
import type { RunTally, Store } from '@push-server/store'
import { talliesOf, type Tallies } from '../messages/index.ts'
import { campaignNumber } from './campaign-number.ts'

type Shelf = Pick<Store, 'campaigns' | 'runs'>

/** Seconds that the pace is taken over. */
const RECENT_S = 10

/** Every platform, zeros included. */
export const resultOf = (tallies: readonly RunTally[]): Tallies =>
  talliesOf(
    tallies.flatMap(({ platform, total, sent, failed }) => [
      { platform, status: 'sent', count: sent },
      { platform, status: 'failed', count: failed },
      { platform, status: 'pending', count: total - sent - failed },
    ]),
  )

export async function campaignProgress({ campaigns, runs }: Shelf, id: string): Promise<CampaignProgress> {
  const number = campaignNumber(id)
  const row = number === undefined ? undefined : await campaigns.describe(number)
  if (!row) throw refusal(TEXT.campaignUnknown)
  const { runId, state, paused } = row
  if (runId === null || state === 'scheduled') return { state, paused, pushesPerSecond: 0 }
  const [tallies, age] = await Promise.all([runs.tally(runId), runs.age(runId)])
  const sums = sumsOf(tallies)
  const pushesPerSecond = row.completedAt ? 0 : Math.round(sums.recent / Math.max(1, Math.min(RECENT_S, age)))
  const isCut = state !== 'fanning-out'
  const { sent, failed, total } = sums
  const pending = total - sent - failed
  return {
    state,
    paused,
    // While it is cut the totals still grow.
    ...(isCut && { result: resultOf(tallies), pending, total }),
    sent,
    failed,
    pushesPerSecond,
    ...(isCut && pushesPerSecond > 0 && { timestampEstimatedEnd: endOf(pending / pushesPerSecond) }),
  }
}

const endOf = (seconds: number) => timestampOf(new Date(Date.now() + seconds * 1000))

function sumsOf(tallies: readonly RunTally[]) {
  const sums = { total: 0, sent: 0, failed: 0, recent: 0 }
  for (const tally of tallies)
    for (const name of ['total', 'sent', 'failed', 'recent'] as const) sums[name] += tally[name]
  return sums
}

/** Of the latest run, in a stable order. */
export async function campaignFailures(
  { campaigns, runs }: Shelf,
  id: string,
  { page, size }: { page: number; size: number },
): Promise<CampaignFailures> {
  const number = campaignNumber(id)
  const row = number === undefined ? undefined : await campaigns.describe(number)
  if (!row) throw refusal(TEXT.campaignUnknown)
  return row.runId === null ? [] : runs.failures(row.runId, page * size, size)
}

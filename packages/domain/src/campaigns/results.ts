// The progress and the results of a run, in the shape of the responses.
import { refusal, TEXT, timestampOf, type CampaignFailures, type CampaignProgress } from '@push-server/contract'
import type { CampaignDetailRow, RunTally, Store } from '@push-server/store'
import { talliesOf, type Tallies } from '../messages/index.ts'
import { campaignNumber } from './campaign-number.ts'

/** Every platform, zeros included. */
export const resultOf = (tallies: readonly RunTally[]): Tallies =>
  talliesOf(
    tallies.flatMap(({ platform, total, sent, failed }) => [
      { platform, status: 'sent', count: sent },
      { platform, status: 'failed', count: failed },
      { platform, status: 'pending', count: total - sent - failed },
    ]),
  )

export async function campaignProgress(
  { campaigns, clock }: Pick<Store, 'campaigns' | 'clock'>,
  id: string,
): Promise<CampaignProgress> {
  const number = campaignNumber(id)
  const row = number === undefined ? undefined : await campaigns.describe(number)
  if (!row) throw refusal(TEXT.campaignUnknown)
  const { rateBase, paused, state, tallies } = row
  if (!rateBase) return { state, paused, pushesPerSecond: 0 }
  const { sent, failed, total } = sumsOf(tallies)
  const pushesPerSecond = rateOf(row, sent + failed)
  const isFannedOut = state !== 'fanning-out'
  const pending = total - sent - failed
  return {
    state,
    paused,
    // The totals grow until the fan-out is complete.
    ...(isFannedOut && { result: resultOf(tallies), pending, total }),
    sent,
    failed,
    pushesPerSecond,
    ...(isFannedOut &&
      !paused &&
      pushesPerSecond > 0 && { timestampEstimatedEnd: endOf(pending / pushesPerSecond, clock.now()) }),
  }
}

/** Rounded to a tenth. The divisor is one second at least, so that the first pushes do not show as a huge rate. */
function rateOf({ completedAt, rateBase }: CampaignDetailRow, done: number): number {
  if (completedAt || !rateBase) return 0
  return Math.round((10 * (done - rateBase.done)) / Math.max(1, rateBase.seconds)) / 10
}

const endOf = (seconds: number, now: number) => timestampOf(new Date(now + seconds * 1000))

function sumsOf(tallies: readonly RunTally[]) {
  const sums = { total: 0, sent: 0, failed: 0 }
  for (const tally of tallies) for (const name of ['total', 'sent', 'failed'] as const) sums[name] += tally[name]
  return sums
}

/** Of the latest run, in a stable order. */
export async function campaignFailures(
  { campaigns, runs }: Pick<Store, 'campaigns' | 'runs'>,
  id: string,
  { page, size }: { page: number; size: number },
): Promise<CampaignFailures> {
  const number = campaignNumber(id)
  const row = number === undefined ? undefined : await campaigns.describe(number)
  if (!row) throw refusal(TEXT.campaignUnknown)
  return row.runId === null ? [] : runs.failures(row.runId, page * size, size)
}

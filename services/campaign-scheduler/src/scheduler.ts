// The service that takes care of what is due: it moves campaigns' runs on, sweeps direct messages and campaigns alike, and
// removes what is old.
import { retention, runScheduler, sweeper, tableWalks, type Service } from '@push-server/domain'

const PARTS: readonly Service[] = [sweeper, runScheduler, retention, tableWalks]

export const campaignScheduler: Service = async (context) => {
  const stops = await Promise.all(PARTS.map((part) => part(context)))
  return async () => {
    for (const stop of stops.toReversed()) await stop()
  }
}

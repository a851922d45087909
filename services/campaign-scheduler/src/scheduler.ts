// The service that looks after what is due: it moves campaigns' runs on, sweeps direct messages and campaigns alike, and
// removes what is old.
import { retention, runScheduler, sweeper, type Service } from '@push-server/domain'

const PARTS: readonly Service[] = [sweeper, runScheduler, retention]

export const campaignScheduler: Service = async (context) => {
  const stops = await Promise.all(PARTS.map((part) => part(context)))
  return async () => {
    for (const stop of stops.toReversed()) await stop()
  }
}

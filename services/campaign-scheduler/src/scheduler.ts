// The service that looks after what is due: it moves campaigns' runs on, and sweeps direct messages and campaigns alike.
import { runScheduler, sweeper, type Service } from '@push-server/domain'

const PARTS: readonly Service[] = [sweeper, runScheduler]

export const campaignScheduler: Service = async (context) => {
  const stops = await Promise.all(PARTS.map((part) => part(context)))
  return async () => {
    for (const stop of stops.toReversed()) await stop()
  }
}

// The service that looks after what is due: the sweep, which serves direct messages and campaigns alike, and retention.
import { retention, sweeper, type Service } from '@push-server/domain'

export const campaignScheduler: Service = async (context) => {
  const stops = [await sweeper(context), await retention(context)]
  return async () => {
    for (const stop of stops) await stop()
  }
}

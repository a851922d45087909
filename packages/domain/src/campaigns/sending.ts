// Sending a campaign: to one user as a test, live to everybody, and the control of a live send under way.
import { instantOf, invalidRequest, refusal, TEXT, type ScheduleCampaignRequest } from '@push-server/contract'
import type { Started, Store } from '@push-server/store'
import type { Context } from '../context.ts'
import { acceptMessages, type AcceptRequest, type Tallies } from '../messages/index.ts'
import { campaignNumber } from './campaign-number.ts'
import { findCampaign } from './campaigns.ts'
import { enqueueOpenChunks } from './fan-out.ts'

type RunStore = Pick<Store, 'runs' | 'campaigns' | 'clock'>

/** Sends an ordinary message with the campaign's body and waits for its outcome. The user need not be in the campaign. */
export async function testCampaign(
  context: Context,
  {
    id,
    userId,
    ...rest
  }: { id: string; userId: string } & Pick<
    AcceptRequest,
    'waiters' | 'pressure' | 'batches' | 'allowance' | 'arrivedAt' | 'isAbandoned' | 'log'
  >,
): Promise<Tallies | undefined> {
  const { appId, message } = await findCampaign(context.store, id)
  const messages = [{ userId, body: message }]
  const { tallies } = await acceptMessages(context, {
    appId,
    messages,
    fieldOf: (_, inside) => `requestObject.${inside}`,
    // Who created the campaign has heard of it; this request names no member of its message.
    onIgnored() {},
    ...rest,
  })
  return tallies
}

export interface LiveRequest {
  /** Sends a campaign that was sent already. */
  resend: boolean
  /** Pushes per second over all workers. */
  rate: number | undefined
}

/** Starts a run and does not wait for it. Refused while one is active, and after one was completed unless `resend`. */
export async function sendCampaign(store: RunStore, id: string, { resend, rate }: LiveRequest): Promise<void> {
  const { id: campaignId } = await findCampaign(store, id)
  const started = await store.runs.start({ campaignId, rate: rate ?? null, scheduledAt: null, resend })
  if ('runId' in started) return
  const { refusedBy } = started
  throw refusal(resend || refusedBy === 'scheduled' ? TEXT.campaignIs(refusedBy) : TEXT.campaignSent)
}

/** Schedules a run for a time in the future. A run that cannot start in time is missed after a while, not sent late. */
export async function scheduleCampaign(store: RunStore, id: string, request: ScheduleCampaignRequest): Promise<void> {
  const { id: campaignId } = await findCampaign(store, id)
  const sendAt = instantOf(request.sendAt)
  if (sendAt === undefined || sendAt <= store.clock.now())
    throw invalidRequest([
      { fieldName: 'requestObject.sendAt', hint: 'must be an ISO 8601 time with offset, in the future' },
    ])
  const started = await store.runs.start({
    campaignId,
    rate: request.rate ?? null,
    scheduledAt: new Date(sendAt),
    resend: false,
  })
  if ('refusedBy' in started) throw refusal(TEXT.campaignIs(started.refusedBy))
}

/** Holds what is not pushed yet. Pushes in flight are still recorded. */
export const pauseCampaign = (store: RunStore, id: string) => control(store, id, 'pause')

/** Keeps what was sent. The rest fails as `Cancelled`. */
export const cancelCampaign = (store: RunStore, id: string) => control(store, id, 'cancel')

export const unscheduleCampaign = (store: RunStore, id: string) => control(store, id, 'unschedule')

/** Enqueues at once what the pause has held. */
export async function resumeCampaign(context: Pick<Context, 'store' | 'queues' | 'log'>, id: string): Promise<void> {
  const runId = await control(context.store, id, 'resume')
  await enqueueOpenChunks(context, runId)
}

/** Refuses with the state that does not allow the action. */
async function control(
  { campaigns, runs }: RunStore,
  id: string,
  action: 'pause' | 'resume' | 'cancel' | 'unschedule',
): Promise<number> {
  const number = campaignNumber(id)
  const outcome: Started | undefined = number === undefined ? undefined : await runs[action](number)
  if (outcome && 'runId' in outcome) return outcome.runId
  if (number === undefined || !(await campaigns.find(number))) throw refusal(TEXT.campaignUnknown)
  throw refusal(TEXT.campaignIs(outcome?.refusedBy ?? 'created'))
}

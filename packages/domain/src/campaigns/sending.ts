// Sending a campaign: to one user as a test, live to everybody, and the control of a live send under way.
import {
  audienceOf,
  instantOf,
  invalidRequest,
  PLATFORMS,
  refusal,
  TEXT,
  type Audience,
  type CampaignAudience,
  type CampaignState,
  type Platform,
  type ScheduleCampaignRequest,
} from '@push-server/contract'
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
    | 'waiters'
    | 'pressure'
    | 'batches'
    | 'allowance'
    | 'arrivedAt'
    | 'isAbandoned'
    | 'correlationId'
    | 'traceContext'
    | 'log'
  >,
): Promise<Tallies | undefined> {
  const { appId, message, platforms } = await findCampaign(context.store, id)
  const messages = [{ userId, body: message, platforms }]
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
  /** Whom to reach when a run of the campaign has started before; undefined: it is refused then. */
  resend: Audience | undefined
  /** Pushes per second over all workers. */
  rate: number | undefined
}

/** Starts a run and does not wait for it. Refused while one is active, and without `resend` once one has started. */
export async function sendCampaign(store: RunStore, id: string, { resend, rate }: LiveRequest): Promise<void> {
  const { id: campaignId } = await findCampaign(store, id)
  const started = await store.runs.start({ campaignId, rate: rate ?? null, scheduledAt: null, resend: resend ?? null })
  if ('refusedBy' in started) throw refusal(textOf(started.refusedBy, resend !== undefined))
}

const ACTIVE: readonly CampaignState[] = ['scheduled', 'fanning-out', 'sending']

/** Clients know the text that a campaign was sent, which is also that of a send which has not ended. */
function textOf(state: CampaignState, isResend: boolean): string {
  if (isResend || state === 'scheduled') return TEXT.campaignIs(state)
  return state === 'sent' || ACTIVE.includes(state) ? TEXT.campaignSent : TEXT.campaignBegan(state)
}

/** How many a run to this audience would reach if it started now. */
export async function campaignAudience(store: RunStore, id: string, resend: Audience): Promise<CampaignAudience> {
  const { id: campaignId } = await findCampaign(store, id)
  const counts = await store.campaigns.countAudience(campaignId, resend)
  const devicesOn = (platform: Platform) => counts.find((count) => count.platform === platform)?.devices ?? 0
  return {
    resend,
    users: counts[0]?.users ?? 0,
    devices: counts.reduce((sum, { devices }) => sum + devices, 0),
    platforms: Object.fromEntries(PLATFORMS.map((platform) => [platform, devicesOn(platform)])) as Record<
      Platform,
      number
    >,
  }
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
    resend: audienceOf(request.resend) ?? null,
  })
  if (!('refusedBy' in started)) return
  const { refusedBy } = started
  const isActive = ACTIVE.includes(refusedBy)
  throw refusal(isActive ? TEXT.campaignIs(refusedBy) : TEXT.campaignBegan(refusedBy))
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

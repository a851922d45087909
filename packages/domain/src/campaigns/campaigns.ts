// Campaigns as clients create, change and read them.
import {
  refusal,
  TEXT,
  timestampOf,
  type Campaign,
  type CampaignDetail,
  type CreateCampaignRequest,
} from '@push-server/contract'
import type { CampaignRow, Store } from '@push-server/store'
import type { Context } from '../context.ts'
import {
  checkPayloads,
  checkRawBlocks,
  composeMessage,
  ignoredMembers,
  readValidUntil,
  type AcceptRequest,
} from '../messages/index.ts'
import { campaignNumber } from './campaign-number.ts'
import { understood } from './message-echo.ts'
import { resultOf } from './results.ts'

type CampaignStore = Pick<Store, 'campaigns' | 'runs'>

/**
 * The id of the new campaign. Refuses a message that a provider of the application would refuse. `onIgnored` gets what none of them
 * has a place for, and may refuse it too.
 */
export async function createCampaign(
  { config, store }: Pick<Context, 'config' | 'store'>,
  request: CreateCampaignRequest,
  onIgnored: AcceptRequest['onIgnored'],
): Promise<string> {
  const { appId, message, platforms: chosen } = request
  const application = await store.applications.find(appId)
  if (!application) throw refusal(TEXT.campaignApplicationUnknown(appId))
  // As it would be sent to one user; a campaign names its body `message`.
  const now = store.clock.now()
  const fieldOf = (inside: string) => inside.replace('body', 'requestObject.message')
  checkRawBlocks([{ body: message }], { rawBlocks: application.rawBlocks, fieldOf: (_, inside) => fieldOf(inside) })
  const composed = composeMessage({ userId: '', body: message, platforms: chosen }, fieldOf, now)
  const platforms = application.credentials.map(({ platform }) => platform)
  const check = {
    messages: [composed],
    platforms,
    huaweiApis: application.credentials.find(({ platform }) => platform === 'huawei')?.settings['apis'] ?? null,
    fieldOf: (_: number, inside: string) => fieldOf(inside),
    config,
    appId,
    now,
  }
  checkPayloads(check)
  onIgnored(ignoredMembers(check))
  const id = await store.campaigns.create({
    applicationId: application.id,
    message: understood(message),
    platforms: composed.platforms,
    // Not limited yet: it may be sent much later, and each provider counts its longest validity from the push.
    validUntil: readValidUntil(message.validUntil, fieldOf),
  })
  return String(id)
}

const campaignOf = ({ id, appId, sent, message, platforms }: CampaignRow): Campaign => ({
  id: String(id),
  appId,
  sent,
  // Rows of earlier versions hold what was sent to us.
  message: understood(message),
  ...(platforms && { platforms }),
})

export interface ListRequest {
  sent: boolean | undefined
  /** Undefined = of any application. */
  appIds: readonly string[] | undefined
  page: number
  /** Undefined = everything. */
  size: number | undefined
}

export async function listCampaigns({ campaigns }: CampaignStore, request: ListRequest): Promise<Campaign[]> {
  const { sent, appIds, page, size } = request
  const offset = size === undefined ? 0 : page * size
  return (await campaigns.list({ sent, appIds, offset, limit: size ?? null })).map(campaignOf)
}

/** Refuses when the campaign does not exist. */
export async function findCampaign({ campaigns }: Pick<Store, 'campaigns'>, id: string): Promise<CampaignRow> {
  const number = campaignNumber(id)
  const row = number === undefined ? undefined : await campaigns.find(number)
  if (!row) throw refusal(TEXT.campaignUnknown)
  return row
}

export async function describeCampaign({ campaigns, runs }: CampaignStore, id: string): Promise<CampaignDetail> {
  const number = campaignNumber(id)
  const row = number === undefined ? undefined : await campaigns.describe(number)
  if (!row) throw refusal(TEXT.campaignUnknown)
  const { runId, state, paused, createdAt, sentAt, completedAt, scheduledAt, tallies } = row
  const isScheduled = state === 'scheduled'
  return {
    ...campaignOf(row),
    state,
    paused,
    timestampCreated: timestampOf(createdAt),
    ...(sentAt && { timestampSent: timestampOf(sentAt) }),
    ...(completedAt && { timestampCompleted: timestampOf(completedAt) }),
    ...(isScheduled && scheduledAt && { timestampScheduled: timestampOf(scheduledAt) }),
    ...(runId !== null && !isScheduled && { result: resultOf(tallies), reasons: await runs.reasons(runId) }),
  }
}

/**
 * False when the campaign does not exist. One that is being sent is refused unless `force`, which cancels it first. Its rows are
 * removed later, in small steps.
 */
export async function deleteCampaign({ campaigns, runs }: CampaignStore, id: string, force: boolean): Promise<boolean> {
  const number = campaignNumber(id)
  if (number === undefined) return false
  if (force) await runs.cancel(number)
  const outcome = await campaigns.delete(number)
  if (outcome !== 'active') return outcome === 'deleted'
  const row = await campaigns.describe(number)
  throw refusal(TEXT.campaignIs(row?.state ?? 'sending'))
}

export async function addCampaignUsers(
  { campaigns }: CampaignStore,
  id: string,
  userIds: readonly string[],
): Promise<void> {
  const number = campaignNumber(id)
  if (number === undefined || !(await campaigns.addUsers(number, userIds))) throw refusal(TEXT.campaignUnknown)
}

/** It is no error when a user is not in the campaign, or when the campaign does not exist. */
export async function removeCampaignUsers(
  { campaigns }: CampaignStore,
  id: string,
  userIds: readonly string[],
): Promise<void> {
  const number = campaignNumber(id)
  if (number !== undefined) await campaigns.removeUsers(number, userIds)
}

export interface UserListRequest {
  after: string | undefined
  sort: string | undefined
  page: number
  size: number
}

/** By user id; empty when the campaign does not exist. */
export async function listCampaignUsers(
  { campaigns }: CampaignStore,
  id: string,
  request: UserListRequest,
): Promise<string[]> {
  const { after, sort, page, size } = request
  const number = campaignNumber(id)
  if (number === undefined) return []
  return campaigns.listUsers(number, {
    sort: sort?.toLowerCase().endsWith(',desc') ? 'desc' : 'asc',
    after: after ?? null,
    offset: page * size,
    limit: size,
  })
}

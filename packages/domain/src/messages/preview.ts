// Preview: what a message would become, by the code that checks it, plans it and builds its pushes. Nothing is stored.
import {
  refusal,
  TEXT,
  type CampaignPreview,
  type CreateCampaignRequest,
  type Message,
  type MessagePreview,
  type Platform,
  type PlatformPreview,
  type Violation,
} from '@push-server/contract'
import { excessProblem, inexactProblem, PAYLOAD_BYTES, PROVIDERS } from '@push-server/providers'
import type { ApplicationRow, NewMessage } from '@push-server/store'
import type { Context } from '../context.ts'
import type { MessageBatches } from './batches.ts'
import { composeMessage, pushMessageOf, type FieldOf } from './compose.ts'
import { chosenOf } from './payload-check.ts'
import { planDeliveries } from './plan.ts'
import { checkRawBlocks } from './raw-permission.ts'
import { sendAtOf } from './send-at.ts'

/** Stands for the token of a device: it shows where that goes, and nobody is to see one. */
const PLACEHOLDER = 'token-of-the-device'

export interface Preview {
  appId: string
  message: Message
  fieldOf: FieldOf
}

type PreviewContext = Pick<Context, 'config' | 'store'>

export async function previewMessage(
  context: PreviewContext,
  batches: Pick<MessageBatches, 'audience'>,
  { appId, message, fieldOf }: Preview,
): Promise<MessagePreview> {
  const { store, config } = context
  const application = await store.applications.find(appId)
  const audience = await batches.audience({ appId, userIds: [message.userId] })
  if (!application || !audience) throw refusal(TEXT.sendApplicationUnknown(appId))
  if (message.userId === '') throw refusal(TEXT.userEmpty)
  const composed = compose(context, application, { appId, message, fieldOf })
  const terms = { now: store.clock.now(), mostMs: config.deliveryMaxAge, fieldOf }
  const sendAt = sendAtOf(message, composed.validUntil, terms)
  return {
    platforms: previewsOf(context, application, { composed, fieldOf }),
    deliveries: planDeliveries([{ ...composed, sendAt }], audience).map(({ recipient, status, reason }) => ({
      activationId: recipient.activationId,
      platform: recipient.platform,
      status,
      ...(reason !== null && { reason }),
    })),
  }
}

/** Of a campaign that is not created yet, so that it has no users. */
export async function previewCampaign(
  context: PreviewContext,
  { appId, message: body, platforms }: CreateCampaignRequest,
): Promise<CampaignPreview> {
  const application = await context.store.applications.find(appId)
  if (!application) throw refusal(TEXT.campaignApplicationUnknown(appId))
  const fieldOf = (inside: string) => inside.replace('body', 'requestObject.message')
  const composed = compose(context, application, { appId, message: { userId: '', body, platforms }, fieldOf })
  return { platforms: previewsOf(context, application, { composed, fieldOf }) }
}

function compose({ store }: PreviewContext, { rawBlocks }: ApplicationRow, { message, fieldOf }: Preview): NewMessage {
  checkRawBlocks([message], { rawBlocks, fieldOf: (_, inside) => fieldOf(inside) })
  return composeMessage(message, fieldOf, store.clock.now())
}

interface Composed {
  composed: NewMessage
  fieldOf: FieldOf
}

function previewsOf({ config, store }: PreviewContext, application: ApplicationRow, { composed, fieldOf }: Composed) {
  const configured = application.credentials.map(({ platform }) => platform)
  const context = { config, appId: application.appId, now: store.clock.now() }
  const push = pushMessageOf(composed)
  const excess = excessProblem(push) ?? inexactProblem(push)
  const previewOf = (platform: Platform): PlatformPreview => {
    const provider = PROVIDERS[platform]
    const problems = excess ? [excess] : provider.check(push, context)
    const ignored = provider.ignored(push, { config }).map(fieldOf)
    const refused = problems.map(({ field, hint }): Violation => ({ fieldName: fieldOf(field), hint }))
    if (excess) return { headers: {}, limit: PAYLOAD_BYTES, ignored, refused }
    const settings = application.credentials.find((one) => one.platform === platform)?.settings ?? {}
    const { headers, body } = provider.draft(push, { token: PLACEHOLDER, settings }, context)
    const bytes = provider.bytes(push, context)
    return { headers: { ...headers }, payload: JSON.parse(body), bytes, limit: PAYLOAD_BYTES, ignored, refused }
  }
  return Object.fromEntries(chosenOf(composed, configured).map((platform) => [platform, previewOf(platform)]))
}

// Preview: what a message would become, by the code that checks it, plans it and builds its pushes. Nothing is stored.
import {
  claimsOf,
  refusal,
  TEXT,
  type CampaignPreview,
  type CreateCampaignRequest,
  type KindPreview,
  type Message,
  type MessagePreview,
  type Platform,
  type PlatformPreview,
  type TokenKind,
  type Violation,
} from '@push-server/contract'
import {
  excessProblem,
  inexactProblem,
  PAYLOAD_BYTES,
  PROVIDERS,
  type DraftDevice,
  type PushMessage,
} from '@push-server/providers'
import type { ApplicationRow, NewMessage } from '@push-server/store'
import type { Context } from '../context.ts'
import type { MessageBatches } from './batches.ts'
import { composeMessage, pushMessageOf, type FieldOf } from './compose.ts'
import { chosenOf, UNSHOWN } from './payload-check.ts'
import { planDeliveries } from './plan.ts'
import { checkRawBlocks } from './raw-permission.ts'
import { sendAtOf } from './send-at.ts'

/** Stands for the token of a device: it shows where that goes, and nobody is to see one. */
const PLACEHOLDER = 'token-of-the-device'
/** With the format of an installation id. */
const INSTALLATION = 'id-of-the-installation'
/** Stands for the id of the message, which is stored under none. */
const NO_ID = '00000000-0000-0000-0000-000000000000'

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
  const deliveries = planDeliveries([{ ...composed, sendAt }], audience)
  const isFid = audience.recipients.some(({ tokenKind }) => tokenKind === 'fid')
  return {
    ...previewsOf(context, application, { composed, fieldOf, isFid }),
    deliveries: deliveries.map(({ recipient: { activationId, platform, tokenKind }, status, reason }) => ({
      activationId,
      platform,
      status,
      ...(reason !== null && { reason }),
      ...claimsOf(tokenKind),
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
  return previewsOf(context, application, { composed, fieldOf, isFid: false })
}

function compose({ store }: PreviewContext, { rawBlocks }: ApplicationRow, { message, fieldOf }: Preview): NewMessage {
  checkRawBlocks([message], { rawBlocks, fieldOf: (_, inside) => fieldOf(inside) })
  return composeMessage(message, fieldOf, store.clock.now())
}

interface Composed {
  composed: NewMessage
  fieldOf: FieldOf
  /** Whether it would go to an installation id. */
  isFid: boolean
}

type Previews = Pick<MessagePreview, 'platforms' | 'kinds'>

function previewsOf(context: PreviewContext, application: ApplicationRow, { isFid, ...rest }: Composed): Previews {
  const push = { ...pushMessageOf(rest.composed), id: NO_ID }
  const platforms: Previews['platforms'] = {}
  const kinds: KindPreview[] = []
  const configured = application.credentials.map(({ platform }) => platform)
  for (const platform of chosenOf(rest.composed, configured)) {
    const settings = application.credentials.find((one) => one.platform === platform)?.settings ?? {}
    const previewFor = (tokenKind: TokenKind | null) =>
      previewOf(context, push, { appId: application.appId, settings, fieldOf: rest.fieldOf, platform, tokenKind })
    const [first, ...others] = kindsOf(platform, { settings, isFid })
    if (first !== undefined) platforms[platform] = previewFor(first)
    for (const kind of others) kinds.push({ platform, ...previewFor(kind) })
  }
  return { platforms, ...(kinds.length > 0 && { kinds }) }
}

interface PreviewedKind extends Pick<Preview, 'appId' | 'fieldOf'> {
  platform: Platform
  settings: DraftDevice['settings']
  tokenKind: TokenKind | null
}

function previewOf({ config, store }: PreviewContext, push: PushMessage, options: PreviewedKind): PlatformPreview {
  const { appId, fieldOf, platform, settings, tokenKind } = options
  const provider = PROVIDERS[platform]
  const context = { config, appId, now: store.clock.now(), huaweiApis: tokenKind === 'v3' ? '3' : '2' }
  const violationOf = (field: string, hint: string): Violation => ({ fieldName: fieldOf(field), hint })
  const excess = excessProblem(push) ?? inexactProblem(push)
  const problems = excess ? [excess] : provider.check(push, context)
  const common = {
    ...claimsOf(tokenKind),
    limit: PAYLOAD_BYTES,
    ignored: provider.ignored(push, context).map(fieldOf),
    refused: problems.map(({ field, hint }) => violationOf(field, hint)),
  }
  if (excess) return { ...common, headers: {} }
  const unshown = provider.unshown?.(push, context) ?? []
  if (unshown.length > 0)
    return { ...common, headers: {}, unshown: unshown.map((field) => violationOf(field, UNSHOWN)) }
  const token = tokenKind === 'fid' ? INSTALLATION : PLACEHOLDER
  const device = { token, settings, ...(tokenKind && { tokenKind }) }
  const { headers, body } = provider.draft(push, device, context)
  return { ...common, headers: { ...headers }, payload: JSON.parse(body), bytes: provider.bytes(push, context) }
}

/** Kinds of tokens that the application pushes to, the usual one first. */
function kindsOf(
  platform: Platform,
  { settings, isFid }: { settings: DraftDevice['settings']; isFid: boolean },
): (TokenKind | null)[] {
  if (platform === 'android') return isFid ? [null, 'fid'] : [null]
  if (platform !== 'huawei') return [null]
  const apis = settings['apis'] ?? '2'
  return [...(apis.includes('2') ? [null] : []), ...(apis.includes('3') ? (['v3'] as const) : [])]
}

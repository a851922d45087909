// Plans deliveries: which device gets which message, in which chunk. Pure.
import { randomUUID } from 'node:crypto'
import { normaliseToken, PLATFORMS, type Platform } from '@push-server/contract'
import { PROVIDERS } from '@push-server/providers'
import type { Audience, NewChunk, NewDelivery, NewMessage, Recipient } from '@push-server/store'

export interface Plan {
  chunks: NewChunk[]
  deliveries: NewDelivery[]
}

type Planned = Omit<NewDelivery, 'chunk'>

export function planDeliveries(messages: readonly NewMessage[], { recipients, configured }: Audience): Plan {
  const byUser = Map.groupBy(recipients, (recipient) => recipient.userId)
  const planned = messages.flatMap((message) => planMessage(message, byUser.get(message.userId) ?? [], configured))
  const plan: Plan = { chunks: [], deliveries: [] }
  for (const delivery of planned) if (delivery.status !== 'pending') plan.deliveries.push({ ...delivery, chunk: null })
  for (const platform of PLATFORMS) {
    const pending = planned.filter(({ status, recipient }) => status === 'pending' && recipient.platform === platform)
    const { direct: size } = PROVIDERS[platform].chunkSize
    for (let start = 0; start < pending.length; start += size)
      addChunk(plan, platform, pending.slice(start, start + size))
  }
  return plan
}

function addChunk(plan: Plan, platform: Platform, deliveries: Planned[]): void {
  const seed = randomUUID()
  plan.chunks.push({ seed, platform, total: deliveries.length })
  plan.deliveries.push(...deliveries.map((delivery, position) => ({ ...delivery, chunk: { seed, position } })))
}

/** Recipients come latest registration first, so that of several with one token the latest is taken. */
function planMessage(
  message: NewMessage,
  recipients: readonly Recipient[],
  configured: readonly Platform[],
): Planned[] {
  const tokens = new Set<string>()
  const planned: Planned[] = []
  for (const recipient of recipients) {
    if (message.activationId !== null && message.activationId !== recipient.activationId) continue
    // Before the token is taken: another activation with the same token may be active.
    const skipped = message.personal && !recipient.active
    const key = `${recipient.platform}/${normaliseToken(recipient.platform, recipient.token)}`
    if (!skipped && tokens.has(key)) continue
    if (!skipped) tokens.add(key)
    planned.push({ messageId: message.id, recipient, ...statusOf(skipped, configured.includes(recipient.platform)) })
  }
  return planned
}

const statusOf = (skipped: boolean, configured: boolean): Pick<Planned, 'status' | 'reason'> =>
  skipped
    ? { status: 'skipped', reason: 'NotActive' }
    : configured
      ? { status: 'pending', reason: null }
      : { status: 'failed', reason: 'NotConfigured' }

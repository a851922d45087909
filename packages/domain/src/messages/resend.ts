// Sends a message again, as a new message: to those devices of the user, as they are now, that it has not reached and is not on its way to.
import { normaliseToken, notFound, refusal, TEXT, timestampOf, unavailable, type Message } from '@push-server/contract'
import { UnconfirmedWrite, type KeptMessage, type ReachedDevice, type Recipient } from '@push-server/store'
import type { Context } from '../context.ts'
import { acceptMessages, type Accepted, type AcceptRequest } from './accept.ts'

export type ResendRequest = { id: string } & Pick<
  AcceptRequest,
  | 'idempotencyKey'
  | 'pressure'
  | 'batches'
  | 'allowance'
  | 'arrivedAt'
  | 'isAbandoned'
  | 'correlationId'
  | 'traceContext'
  | 'log'
>

const RETRY_AFTER_S = 2
const SLACK_MS = 5_000

export interface Resent extends Accepted {
  appId: string
}

/** `id` must be a UUID. */
export async function resendMessage(context: Context, { id, ...rest }: ResendRequest): Promise<Resent> {
  const { config, store } = context
  const kept = await store.messages.findKept(id)
  if (!kept) throw notFound(TEXT.messageUnknown)
  let begun: string | undefined
  const request: AcceptRequest = {
    ...rest,
    appId: kept.appId,
    messages: [messageOf(kept)],
    identity: { resend: id },
    // The response to the first request has named them.
    onIgnored() {},
    fieldOf: (_index, inside) => `message.${inside}`,
    async leaveOut([messageId = '']) {
      checkKept(kept, store.clock.now())
      // A store waits for its statement as long as the statement may take.
      const leaseMs = 2 * config.databaseTimeout + SLACK_MS
      const reached = await store.messages.beginResend({ id, messageId, leaseMs })
      if (!reached) throw unavailable(TEXT.resendUnderWay, RETRY_AFTER_S)
      begun = messageId
      const had = isReached(reached)
      return (recipient) => had(recipient) || !(kept.platforms?.includes(recipient.platform) ?? true)
    },
  }
  try {
    return { appId: kept.appId, ...(await acceptMessages(context, request)) }
  } catch (error) {
    // Where nobody knows whether it was stored, the link stays until that would show.
    if (begun !== undefined && !isUnconfirmed(error)) await store.messages.abandonResend(begun).catch(logTo(rest.log))
    throw error
  }
}

const logTo = (log: AcceptRequest['log']) => (error: unknown) =>
  log.warn({ err: error }, 'a resend that stored nothing was not taken back, its message can be resent after a while')

const isUnconfirmed = (error: unknown) =>
  error instanceof UnconfirmedWrite || (error instanceof Error && error.cause instanceof UnconfirmedWrite)

function checkKept({ body, validUntil }: KeptMessage, now: number): void {
  if (body === null) throw refusal(TEXT.resendContentGone)
  if (validUntil !== null && validUntil.getTime() <= now) throw refusal(TEXT.resendExpired)
}

/** The message as its request gave it. */
const messageOf = (kept: KeptMessage): Message => ({
  userId: kept.userId,
  activationId: kept.activationId,
  priority: kept.priority,
  attributes: { silent: kept.silent, personal: kept.personal },
  platforms: kept.platforms,
  body: { ...kept.body, ...(kept.validUntil && { validUntil: timestampOf(kept.validUntil) }) },
})

/** A phone is known by its device, or by its token where it was registered anew. Pure. */
export function isReached(reached: readonly ReachedDevice[]): (recipient: Recipient) => boolean {
  const ids = new Set(reached.map(({ deviceId }) => deviceId))
  const nameOf = ({ platform, token }: Pick<ReachedDevice, 'platform' | 'token'>) =>
    `${platform}/${normaliseToken(platform, token)}`
  const tokens = new Set(reached.map(nameOf))
  return (recipient) => ids.has(recipient.deviceId) || tokens.has(nameOf(recipient))
}

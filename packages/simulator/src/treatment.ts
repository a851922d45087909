// What every look-alike does with a request that is in order: as its token asks, counted, after the latency.
import type { Platform } from '@push-server/contract'
import { isAccepted, type Answer, type Failure } from './behaviour.ts'
import type { Context } from './context.ts'
import type { Notification } from './phones.ts'
import type { Push } from './push.ts'
import { withExtras, type Exchange, type Reply, type WireFailure } from './wire/exchange.ts'

export interface TreatmentOptions<P extends Push> {
  platform: Platform
  /** Makes what the phone shows. */
  compose(push: P): Notification
  /** What comes along with GOAWAY. */
  farewell?: string
}

export interface Acceptance<P extends Push> {
  reply: Reply
  pushes: readonly P[]
  /** Pushes of the same request that are refused. */
  refused?: number
  /** How much longer than usual the answer takes. */
  delayMs?: number | undefined
  /** What happens with the answer, or instead of it. */
  failure?: Failure | undefined
}

/** How a provider with one push in a request answers. */
export interface Speech<P extends Push> {
  accepted(push: P): Reply
  refused(push: P, answer: Answer): Reply
}

export function createTreatment<P extends Push>(options: TreatmentOptions<P>, { ledger, answers, conducts }: Context) {
  const { platform, compose, farewell } = options
  const conduct = conducts[platform]

  /** The push is accepted; its sender may still not hear of it. */
  function accept(exchange: Exchange, { reply, pushes, refused, delayMs, failure }: Acceptance<P>) {
    if (failure && failure.fault !== 'goaway') {
      ledger.lost({ platform, accepted: pushes }, compose)
      return conduct.delay(() => exchange.fail(wired(failure)), failure.delayMs)
    }
    ledger.answered({ platform, status: reply.status, accepted: pushes, refused }, compose)
    const end = failure && exchange.retire(farewell)
    conduct.delay(() => {
      exchange.reply(reply)
      end?.()
    }, delayMs)
  }

  /** `pushes`: how many there are in the request. */
  const refuse = (
    exchange: Exchange,
    reply: Reply,
    { pushes = 1, delayMs }: { pushes?: number; delayMs?: number | undefined } = {},
  ) => accept(exchange, { reply, pushes: [], refused: pushes, delayMs })

  /** The push is not accepted, and not refused either. */
  function fail(exchange: Exchange, failure: Failure) {
    ledger.unanswered(platform)
    if (failure.fault === 'silence') return
    // At once: what comes in meanwhile would be read, and GOAWAY says that it is not.
    if (failure.fault === 'goaway-unread') return exchange.fail(wired(failure))
    conduct.delay(() => exchange.fail(wired(failure)), failure.delayMs)
  }

  return {
    accept,
    refuse,
    fail,
    /** What is answered instead when so many pushes are more than the provider takes at this moment. */
    excess: conduct.excess,
    /** Accepts the push, or whatever its token asks for. */
    treat(exchange: Exchange, push: P, speech: Speech<P>) {
      const behaviour = conduct.excess(1) ?? answers.take(push.token) ?? ACCEPTED
      if ('fault' in behaviour) {
        if (!isAccepted(behaviour.fault)) return fail(exchange, behaviour)
        return accept(exchange, { reply: speech.accepted(push), pushes: [push], failure: behaviour })
      }
      const { status, delayMs } = behaviour
      if (status !== 200) {
        return refuse(exchange, withExtras(speech.refused(push, behaviour), behaviour), { delayMs })
      }
      accept(exchange, { reply: withExtras(speech.accepted(push), behaviour), pushes: [push], delayMs })
    },
  }
}

const ACCEPTED: Answer = { status: 200 }

const wired = (failure: Failure) => failure as WireFailure

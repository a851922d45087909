// What every look-alike does with a request that is in order: as its token asks, counted, after the latency.
import type { Platform } from '@push-server/contract'
import { isAccepted, type Response, type FailingBehaviour } from './behaviour.ts'
import type { Context } from './context.ts'
import type { Notification } from './phones.ts'
import type { Push } from './push.ts'
import { withExtras, type Exchange, type Reply, type WireFailure } from './wire/http-exchange.ts'

export interface RequestHandlerOptions<P extends Push> {
  platform: Platform
  /** Makes what the phone shows. */
  compose(push: P): Notification
  /** What comes along with GOAWAY. */
  manner?: string
}

export interface Acceptance<P extends Push> {
  reply: Reply
  pushes: readonly P[]
  /** Pushes of the same request that are refused. */
  refused?: number
  /** How much longer than usual the answer takes. */
  delayMs?: number | undefined
  /** What happens with the answer, or instead of it. */
  failing?: FailingBehaviour | undefined
}

/** How a provider with one push in a request answers. */
export interface Speech<P extends Push> {
  accepted(push: P): Reply
  refused(push: P, response: Response): Reply
}

export function createRequestHandler<P extends Push>(
  options: RequestHandlerOptions<P>,
  { pushLog, responses, controls }: Context,
) {
  const { platform, compose, manner } = options
  const control = controls[platform]

  /** The push is accepted; its sender may still not hear of it. */
  function accept(exchange: Exchange, { reply, pushes, refused, delayMs, failing }: Acceptance<P>) {
    if (failing && failing.failure !== 'goaway') {
      pushLog.lost({ platform, accepted: pushes }, compose)
      return control.delay(() => exchange.fail(wired(failing)), failing.delayMs)
    }
    pushLog.responded({ platform, status: reply.status, accepted: pushes, refused }, compose)
    const end = failing && exchange.retire(manner)
    control.delay(() => {
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
  function fail(exchange: Exchange, failing: FailingBehaviour) {
    pushLog.withoutResponse(platform)
    if (failing.failure === 'silence') return
    // At once: what comes in meanwhile would be read, and GOAWAY says that it is not.
    if (failing.failure === 'goaway-unread') return exchange.fail(wired(failing))
    control.delay(() => exchange.fail(wired(failing)), failing.delayMs)
  }

  return {
    accept,
    refuse,
    fail,
    /** What is answered instead when so many pushes are more than the provider takes at this moment. */
    excess: control.excess,
    /** Accepts the push, or whatever its token asks for. */
    treat(exchange: Exchange, push: P, speech: Speech<P>) {
      const behaviour = control.excess(1) ?? responses.take(push.token) ?? ACCEPTED
      if ('failure' in behaviour) {
        if (!isAccepted(behaviour.failure)) return fail(exchange, behaviour)
        return accept(exchange, { reply: speech.accepted(push), pushes: [push], failing: behaviour })
      }
      const { status, delayMs } = behaviour
      if (status !== 200) {
        return refuse(exchange, withExtras(speech.refused(push, behaviour), behaviour), { delayMs })
      }
      accept(exchange, { reply: withExtras(speech.accepted(push), behaviour), pushes: [push], delayMs })
    },
  }
}

const ACCEPTED: Response = { status: 200 }

const wired = (failing: FailingBehaviour) => failing as WireFailure

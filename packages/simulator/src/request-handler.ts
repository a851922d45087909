// What every fake does with a valid request: it counts it, and after the latency behaves as its token requires.
import type { Platform } from '@push-server/contract'
import { isAccepted, type Response, type FailingBehaviour } from './behaviour.ts'
import type { Context } from './context.ts'
import type { Notification } from './phones.ts'
import type { Push } from './push.ts'
import { withExtras, type Exchange, type Reply, type WireFailure } from './wire/http-exchange.ts'

export interface RequestHandlerOptions<P extends Push> {
  platform: Platform
  /** Makes the notification of a phone. */
  compose(push: P): Notification
  /** Debug data of GOAWAY. */
  goawayText?: string
}

export interface Acceptance<P extends Push> {
  reply: Reply
  pushes: readonly P[]
  /** Pushes of the same request that are refused. */
  refused?: number
  /** How much longer than usual the response takes. */
  delayMs?: number | undefined
  /** What happens with the response, or instead of it. */
  failing?: FailingBehaviour | undefined
}

/** The responses of a provider with one push in a request. */
export interface ReplyFormat<P extends Push> {
  accepted(push: P): Reply
  refused(push: P, response: Response): Reply
}

export function createRequestHandler<P extends Push>(
  options: RequestHandlerOptions<P>,
  { pushLog, responses, controls }: Context,
) {
  const { platform, compose, goawayText } = options
  const control = controls[platform]

  /** Accepts the push; its sender may still get no response. */
  function accept(exchange: Exchange, { reply, pushes, refused, delayMs, failing }: Acceptance<P>) {
    if (failing && failing.failure !== 'goaway') {
      pushLog.lost({ platform, accepted: pushes }, compose)
      return control.delay(() => exchange.fail(wired(failing)), failing.delayMs)
    }
    pushLog.responded({ platform, status: reply.status, accepted: pushes, refused }, compose)
    const end = failing && exchange.retire(goawayText)
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

  /** Neither accepts nor refuses the push. */
  function fail(exchange: Exchange, failing: FailingBehaviour) {
    pushLog.withoutResponse(platform)
    if (failing.failure === 'silence') return
    // At once: requests that came in meanwhile would be read, although GOAWAY says that they are not.
    if (failing.failure === 'goaway-unread') return exchange.fail(wired(failing))
    control.delay(() => exchange.fail(wired(failing)), failing.delayMs)
  }

  return {
    accept,
    refuse,
    fail,
    /** The response when the pushes exceed the rate of the provider. */
    excess: control.excess,
    /** Accepts the push, or behaves as its token requires. */
    handle(exchange: Exchange, push: P, format: ReplyFormat<P>) {
      const behaviour = control.excess(1) ?? responses.take(push.token) ?? ACCEPTED
      if ('failure' in behaviour) {
        if (!isAccepted(behaviour.failure)) return fail(exchange, behaviour)
        return accept(exchange, { reply: format.accepted(push), pushes: [push], failing: behaviour })
      }
      const { status, delayMs } = behaviour
      if (status !== 200) {
        return refuse(exchange, withExtras(format.refused(push, behaviour), behaviour), { delayMs })
      }
      accept(exchange, { reply: withExtras(format.accepted(push), behaviour), pushes: [push], delayMs })
    },
  }
}

const ACCEPTED: Response = { status: 200 }

const wired = (failing: FailingBehaviour) => failing as WireFailure

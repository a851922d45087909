// What every look-alike does with a request that is in order: as its token asks, counted, after the latency.
import type { Platform } from '@push-server/contract'
import type { Answer, Fault } from './behaviour.ts'
import type { Context } from './context.ts'
import type { Notification } from './phones.ts'
import type { Push } from './push.ts'
import type { Exchange, Reply } from './wire/exchange.ts'

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
  /** The connection ends with this answer. */
  retire?: boolean
}

/** How a provider with one push in a request answers. */
export interface Speech<P extends Push> {
  accepted(push: P): Reply
  refused(push: P, answer: Answer): Reply
}

export function createTreatment<P extends Push>(options: TreatmentOptions<P>, { ledger, answers, latency }: Context) {
  const { platform, compose, farewell } = options

  function accept(exchange: Exchange, { reply, pushes, refused, retire }: Acceptance<P>) {
    ledger.answered({ platform, status: reply.status, accepted: pushes, refused }, compose)
    const end = retire ? exchange.retire(farewell) : undefined
    latency.delay(() => {
      exchange.reply(reply)
      end?.()
    })
  }

  /** `pushes`: how many there are in the request. */
  const refuse = (exchange: Exchange, reply: Reply, pushes = 1) =>
    accept(exchange, { reply, pushes: [], refused: pushes })

  function fail(exchange: Exchange, fault: Exclude<Fault, 'goaway'>) {
    ledger.unanswered(platform)
    if (fault !== 'silence') latency.delay(() => exchange.fail(fault))
  }

  return {
    accept,
    refuse,
    fail,
    /** Accepts the push, or whatever its token asks for. */
    treat(exchange: Exchange, push: P, speech: Speech<P>) {
      const behaviour = answers.take(push.token)
      const fault = behaviour && 'fault' in behaviour ? behaviour.fault : undefined
      const answer = behaviour && 'status' in behaviour ? behaviour : undefined
      if (answer && answer.status !== 200) return refuse(exchange, speech.refused(push, answer))
      if (fault && fault !== 'goaway') return fail(exchange, fault)
      accept(exchange, { reply: speech.accepted(push), pushes: [push], retire: fault === 'goaway' })
    },
  }
}

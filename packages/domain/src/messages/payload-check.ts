// What providers make of a message, before it is accepted: what they would refuse, and what they have no place for. Pure.
import { invalidRequest, type Platform, type Violation } from '@push-server/contract'
import { excessProblem, inexactProblem, PROVIDERS, type PushMessage } from '@push-server/providers'
import type { NewMessage } from '@push-server/store'
import type { Context } from '../context.ts'
import { pushMessageOf } from './compose.ts'

export interface PayloadCheck extends Pick<Context, 'config'> {
  /** Path in the request of what has the path `inside` in a message, for violations. */
  fieldOf(index: number, inside: string): string
  messages: readonly NewMessage[]
  /** Platforms that the application has credentials for. */
  platforms: readonly Platform[]
  /** Versions of Huawei's API that it has credentials for; null: 2. */
  huaweiApis?: string | null
  appId: string
  /** ms since the epoch, by the database's clock. */
  now: number
}

/** Refuses messages that a provider would refuse, before anything is stored. */
export function checkPayloads({ messages, platforms, fieldOf, ...context }: PayloadCheck): void {
  const problemsOf = (message: PushMessage, to: readonly Platform[]) => {
    const problem = to.length > 0 && (excessProblem(message) ?? inexactProblem(message))
    return problem ? [problem] : to.flatMap((platform) => PROVIDERS[platform].check(message, context))
  }
  const violations = messages.flatMap((message, index) =>
    problemsOf(pushMessageOf(message), chosenOf(message, platforms)).map(({ field, hint }) => ({
      fieldName: fieldOf(index, field),
      hint,
    })),
  )
  if (violations.length > 0) throw invalidRequest(violations)
}

/** Those of the platforms that the message is for. */
export const chosenOf = ({ platforms }: NewMessage, configured: readonly Platform[]) =>
  platforms ? configured.filter((platform) => platforms.includes(platform)) : configured

const IGNORED = 'no platform that the application has credentials for makes use of it in this message'

export const UNSHOWN =
  'phones of HarmonyOS 5 and later know no texts by their keys: to them a message needs a title or a body, and this one fails with NoText'

/** Members that no provider of the application has a place for, or that some of its phones show nothing of; none while it has no provider. */
export function ignoredMembers(check: PayloadCheck): Violation[] {
  const { messages, platforms, fieldOf } = check
  return messages.flatMap((message, index) => {
    const [first, ...others] = chosenOf(message, platforms)
    if (first === undefined) return []
    const push = pushMessageOf(message)
    const unshown = [first, ...others].flatMap((platform) => PROVIDERS[platform].unshown?.(push, check) ?? [])
    let ignored = PROVIDERS[first].ignored(push, check)
    for (const platform of others) {
      if (ignored.length === 0) break
      const here = new Set(PROVIDERS[platform].ignored(push, check))
      ignored = ignored.filter((field) => here.has(field))
    }
    // One reason for each member: what fails is more than what is ignored.
    const lost = ignored.filter((field) => !unshown.includes(field))
    return [
      ...lost.map((field) => ({ fieldName: fieldOf(index, field), hint: IGNORED })),
      ...unshown.map((field) => ({ fieldName: fieldOf(index, field), hint: UNSHOWN })),
    ]
  })
}

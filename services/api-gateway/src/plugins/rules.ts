// Ordered rules of a request whose texts existing clients know. They come before the schema: the first one broken answers.
import { refusal } from '@push-server/contract'
import type { FastifyRequest, preValidationHookHandler } from 'fastify'

type Members = Readonly<Record<string, unknown>>

/** The text of the refusal, or undefined when the rule holds. `object` is the request object, null when there is none. */
export type Rule = (object: Members | null) => string | undefined

const isAbsent = (value: unknown) => value === null || value === undefined

/** The request object itself is wanted. */
export const wanted =
  (text: string): Rule =>
  (object) =>
    object === null ? text : undefined

/** A member is neither left out nor null. */
export const present =
  (member: string, text: string): Rule =>
  (object) =>
    isAbsent(object?.[member]) ? text : undefined

/** A member is neither left out nor null nor the empty text. */
export const filled =
  (member: string, text: string): Rule =>
  (object) =>
    isAbsent(object?.[member]) || object?.[member] === '' ? text : undefined

/** A `requestObject` that is no object at all is left to the schema. */
export const enforce = (rules: readonly Rule[]): preValidationHookHandler =>
  async function (request: FastifyRequest) {
    const { body } = request
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return
    const object = (body as Members).requestObject ?? null
    if (typeof object !== 'object' || Array.isArray(object)) return
    for (const rule of rules) {
      const text = rule(object as Members | null)
      if (text !== undefined) throw refusal(text)
    }
  }

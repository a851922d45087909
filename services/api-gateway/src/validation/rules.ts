// Ordered rules of a request whose texts existing clients know. They are checked before the schema, and the text of the first
// broken rule is the response.
import { refusal, TEXT } from '@push-server/contract'
import type { preValidationHookHandler } from 'fastify'

type Members = Readonly<Record<string, unknown>>

/** The text of the refusal, or undefined when the rule holds. `object` is the request object, null when there is none. */
export type Rule = (object: Members | null) => string | undefined

const isAbsent = (value: unknown) => value === null || value === undefined

/** The request object itself is required. */
export const required =
  (text: string): Rule =>
  (object) =>
    object === null ? text : undefined

/** A member is neither left out nor null. */
export const notNull =
  (member: string, text: string): Rule =>
  (object) =>
    isAbsent(object?.[member]) ? text : undefined

/** A member is neither left out nor null nor the empty text. */
export const notEmpty =
  (member: string, text: string): Rule =>
  (object) =>
    isAbsent(object?.[member]) || object?.[member] === '' ? text : undefined

/** A member is not the empty text; absent is another error. */
export const notBlank =
  (member: string, text: string): Rule =>
  (object) =>
    object?.[member] === '' ? text : undefined

/** The request names an application. */
export const applicationNamed: readonly Rule[] = [required(TEXT.objectMissing), notNull('appId', TEXT.appIdMissing)]

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A `requestObject` that is no object at all is left to the schema. */
export const enforce =
  (rules: readonly Rule[]): preValidationHookHandler =>
  ({ body }, _reply, done) => {
    const object = isObject(body) ? (body.requestObject ?? null) : undefined
    if (object === null || isObject(object)) apply(rules, object)
    done()
  }

/** The same for the parameters of the query. */
export const enforceQuery =
  (rules: readonly Rule[]): preValidationHookHandler =>
  ({ query }, _reply, done) => {
    if (isObject(query)) apply(rules, query)
    done()
  }

/** The same for a request that comes without a wrapper. */
export const enforceBare =
  (rules: readonly Rule[]): preValidationHookHandler =>
  ({ body }, _reply, done) => {
    if (isObject(body)) apply(rules, body)
    done()
  }

function apply(rules: readonly Rule[], object: Members | null): void {
  for (const rule of rules) {
    const text = rule(object)
    if (text !== undefined) throw refusal(text)
  }
}

// The header under which a request can be sent again without sending its messages again.
import { invalidRequest } from '@push-server/contract'
import type { FastifyRequest, preValidationHookHandler } from 'fastify'

const KEY = /^[ -~]{1,255}$/
const HINT = 'must have 1 to 255 printable ASCII characters'

/** Undefined when none is given. */
export const idempotencyKeyOf = (headers: FastifyRequest['headers']): string | undefined => {
  const key = headers['idempotency-key']
  return Array.isArray(key) ? key.join() : key
}

export const validKey: preValidationHookHandler = ({ headers }, _reply, done) => {
  const key = idempotencyKeyOf(headers)
  const isValid = key === undefined || KEY.test(key)
  done(isValid ? undefined : invalidRequest([{ fieldName: 'Idempotency-Key', hint: HINT }]))
}

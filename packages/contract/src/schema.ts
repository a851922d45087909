// The few schema forms that the contract's files share.
import Type, { type TSchema } from 'typebox'

/** The member may also be given as null, which means the same as leaving it out. */
export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/** A 32-bit signed integer, as the reference's clients send. */
export const Integer32 = (options: { description?: string; examples?: number[] } = {}) =>
  Type.Integer({ minimum: -2_147_483_648, maximum: 2_147_483_647, ...options })

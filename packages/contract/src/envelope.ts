// The wrapper around every request and every response.
import Type, { type Static, type TSchema } from 'typebox'

/** `{"requestObject": …}`, as all write endpoints but the device status callback take it. */
export const Wrapped = <T extends TSchema>(requestObject: T) =>
  Type.Object({ requestObject }, { additionalProperties: true })

export const Ok = Type.Object({ status: Type.Literal('OK') }, { title: 'Ok' })
export type Ok = Static<typeof Ok>

export const OkWith = <T extends TSchema>(responseObject: T) =>
  Type.Object({ status: Type.Literal('OK'), responseObject })

export const OK: Ok = { status: 'OK' }
export const okWith = <T>(responseObject: T) => ({ status: 'OK' as const, responseObject })

/** One error in the format of a request. The rejected value is never repeated: it may be a secret. */
export const Violation = Type.Object(
  {
    fieldName: Type.String({ examples: ['requestObject.token'] }),
    hint: Type.String({ examples: ['must not have more than 1024 characters'] }),
  },
  { title: 'Violation' },
)
export type Violation = Static<typeof Violation>

export const ErrorResponse = Type.Object(
  {
    status: Type.Literal('ERROR'),
    responseObject: Type.Object({
      code: Type.String({ examples: ['ERROR_GENERIC'] }),
      message: Type.String({ examples: ['Application with given ID does not exist'] }),
      violations: Type.Optional(Type.Array(Violation)),
    }),
  },
  { title: 'ErrorResponse' },
)
export type ErrorResponse = Static<typeof ErrorResponse>

// The wrapper around every request and every response. Each has a name of its own, made of that of its content: generators of clients
// would name it after the operation, as the content may be.
import Type, { type Static, type TSchema } from 'typebox'

/** `{"requestObject": …}`, as all write endpoints but the device status callback take it. */
export const Wrapped = <T extends TSchema>(requestObject: T) =>
  Type.Object({ requestObject }, { additionalProperties: true, title: titleAround('Wrapped', requestObject) })

/** The name of an envelope. */
export function titleAround(envelope: string, content: TSchema): string {
  const { title } = content as { title?: string }
  if (title === undefined) throw new Error('The content of a request or a response needs a title')
  return `${envelope}${title}`
}

export const Ok = Type.Object(
  { status: Type.Literal('OK') },
  { title: 'Ok', 'x-response-description': 'The request was carried out.' },
)
export type Ok = Static<typeof Ok>

export const OkWith = <T extends TSchema>(responseObject: T) =>
  Type.Object(
    { status: Type.Literal('OK'), responseObject },
    {
      title: titleAround('Ok', responseObject),
      'x-response-description': 'The request was carried out; `responseObject` is what came of it.',
    },
  )

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

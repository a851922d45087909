// The answers that a route declares beside its own.
import { ErrorAnswer, Ok } from '@push-server/contract'
import Type, { type TSchema } from 'typebox'

const errors = { '4xx': ErrorAnswer, '5xx': ErrorAnswer }

export const answers = <T extends TSchema>(success: T) => ({ 200: success, ...errors })
export const OK_ANSWERS = answers(Ok)

/** Pages for those who ask for them: without, everything is answered at once. */
export const PerhapsPaged = <T extends TSchema>(responseObject: T) =>
  Type.Object({
    status: Type.Literal('OK'),
    page: Type.Optional(Type.Integer({ examples: [0] })),
    size: Type.Optional(Type.Integer({ examples: [20] })),
    responseObject,
  })

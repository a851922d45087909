// The answers that a route declares beside its own.
import { ErrorAnswer, Ok } from '@push-server/contract'
import type { TSchema } from 'typebox'

const errors = { '4xx': ErrorAnswer, '5xx': ErrorAnswer }

export const answers = <T extends TSchema>(success: T) => ({ 200: success, ...errors })
export const OK_ANSWERS = answers(Ok)

// An error as the body that its answer has. Pure.
import type { ApiError, ErrorAnswer } from '@push-server/contract'

export const errorAnswer = ({ code, message, violations }: ApiError): ErrorAnswer => ({
  status: 'ERROR',
  responseObject: { code, message, ...(violations && { violations: [...violations] }) },
})

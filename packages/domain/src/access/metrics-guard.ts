// Metrics of processes without an API: what they count is for whoever may read it on the API, too. Health is for everybody.
import { ApiError, type ErrorAnswer } from '@push-server/contract'
import type { ProbeGuard } from '@push-server/runtime'
import { CHALLENGES, type Access } from './access.ts'

/** Wants a key with the scope `metrics` for /metrics, once keys are asked for. */
export const guardMetrics =
  (access: Access): ProbeGuard =>
  async (path, authorization) => {
    if (path !== '/metrics') return undefined
    try {
      await access.admit({ authorization, scope: 'metrics' })
      return undefined
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      return refusalOf(error)
    }
  }

function refusalOf({ code, message, statusCode }: ApiError) {
  const answer: ErrorAnswer = { status: 'ERROR', responseObject: { code, message } }
  return {
    status: statusCode,
    type: 'application/json',
    body: JSON.stringify(answer),
    ...(statusCode === 401 && { headers: { 'www-authenticate': CHALLENGES.join(', ') } }),
  }
}

// Who may read metrics and the details of health in processes without an API: the callers who may read them on the API. The states
// of /health/… are public.
import { ApiError, errorResponse, forbidden } from '@push-server/contract'
import type { Config, Probe, ProbeAccess } from '@push-server/runtime'
import { CHALLENGES, type Access } from './access.ts'
import { openHostCheck } from './host-check.ts'

interface Parts {
  config: Pick<Config, 'host' | 'allowedHosts'>
  access: Access
}

/** Requires a key with the scope `metrics` that is bound to no application, once keys are required. */
export function createProbeAccess(parts: Parts): ProbeAccess {
  const checkHost = openHostCheck(parts)

  const admit: (headers: Parameters<ProbeAccess['refuseMetrics']>[0]) => Promise<void> = async (headers) => {
    await checkHost(headers.host)
    const caller = await parts.access.admit({ authorization: headers.authorization, scope: 'metrics' })
    if (caller && caller.appIds.length > 0)
      throw forbidden('This API key is bound to applications, and this is not about any one of them')
  }

  return {
    async refuseMetrics(headers) {
      try {
        await admit(headers)
        return undefined
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        return refusalOf(error)
      }
    },
    async mayReadDetails(headers) {
      await admit(headers)
      return true
    },
  }
}

function refusalOf(error: ApiError): Probe {
  return {
    status: error.statusCode,
    type: 'application/json',
    body: JSON.stringify(errorResponse(error)),
    ...(error.statusCode === 401 && { headers: { 'www-authenticate': CHALLENGES.join(', ') } }),
  }
}

// PowerAuth Server as the registry of activations. It is called each time, and its response wins over what callers say.
import { randomUUID } from 'node:crypto'
import { ACTIVATION_STATUSES, type ActivationStatus } from '@push-server/contract'
import { ActivationsUnavailable, type Activation, type Activations, type RequestedBy } from './activations.ts'
import { openPowerAuthClient, type PowerAuthOptions } from './power-auth-client.ts'
import { PowerAuthError } from './power-auth-response.ts'
import type { PowerAuthVersion } from './power-auth-versions.ts'

/** A health check waits no longer. */
const CHECK_MS = 2_000

/** `believes`: as in Activations. */
export function openPowerAuth({ believes, ...options }: PowerAuthOptions & { believes: boolean }): Activations {
  const client = openPowerAuthClient(options)

  /** Does the work, and logs why it failed. */
  async function logged<T>({ log }: RequestedBy, work: () => Promise<T>): Promise<T> {
    const started = performance.now()
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof PowerAuthError)) throw error
      const ms = Math.round(performance.now() - started)
      log.warn({ endpoint: error.endpoint, ms, reason: error.message }, 'PowerAuth Server request failed')
      throw new ActivationsUnavailable(error.message, { cause: error })
    }
  }

  return {
    keeps: false,
    believes,

    find: ({ activationIds, caller }) =>
      logged(caller, () => {
        // The first failure decides: the other calls are aborted.
        const failed = new AbortController()
        const find = (activationId: string) =>
          client.call({ ...statusCall(activationId), ...originOf(caller), signal: failed.signal })
        return Promise.all(activationIds.map(find)).finally(() => failed.abort())
      }),

    applications: (caller) => logged(caller, () => client.call({ ...LIST_CALL, ...originOf(caller) })),

    async check() {
      const signal = AbortSignal.timeout(CHECK_MS)
      await client.call({ ...LIST_CALL, correlationId: randomUUID(), signal })
    },

    close: client.close,
  }
}

const originOf = ({ id, span }: RequestedBy) => ({ correlationId: id, traceparent: span?.traceparent })

const statusCall = (activationId: string) => ({
  path: '/activation/status',
  // Only version 4 has the member: it spares PowerAuth Server the encryption of a blob that nobody reads here.
  requestObject: (version: PowerAuthVersion) => ({
    activationId,
    ...(version === 'v4' && { includeStatusBlob: false }),
  }),
  read: activationOf,
})

const LIST_CALL = { path: '/application/list', requestObject: () => ({}), read: applicationIdsOf }

type Members = Readonly<Record<string, unknown>>

const LONGEST_USER_ID = 255

/** One that PowerAuth Server does not know comes as REMOVED; no object at all means the same. */
function activationOf(responseObject: unknown): Activation | undefined {
  if (responseObject === null) return undefined
  const { activationStatus, userId, applicationId } = Object(responseObject) as Members
  const status = ACTIVATION_STATUSES.find((known) => known === activationStatus) satisfies ActivationStatus | undefined
  if (status === undefined) throw new PowerAuthError('a response without a known activation status')
  if (typeof userId !== 'string' || userId === '' || userId.length > LONGEST_USER_ID)
    throw new PowerAuthError(`a response without a user id of 1 to ${LONGEST_USER_ID} characters`)
  // The database would replace the one and refuse the other.
  if (!userId.isWellFormed() || userId.includes('\0'))
    throw new PowerAuthError('a user id that is no well-formed Unicode or has the character U+0000')
  return { userId, status, applicationId: typeof applicationId === 'string' ? applicationId : null }
}

function applicationIdsOf(responseObject: unknown): string[] {
  const { applications } = Object(responseObject) as Members
  if (!Array.isArray(applications)) throw new PowerAuthError('a response without a list of applications')
  return applications.map((application) => {
    const { applicationId } = Object(application) as Members
    if (typeof applicationId !== 'string') throw new PowerAuthError('an application without an id')
    return applicationId
  })
}

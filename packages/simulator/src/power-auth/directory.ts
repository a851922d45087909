// What the look-alike of PowerAuth Server knows: applications, activations, who may ask, and how it behaves just now.
import type { Failure } from '../behaviour.ts'

export const POWER_AUTH_STATUSES = ['CREATED', 'PENDING_COMMIT', 'ACTIVE', 'BLOCKED', 'REMOVED'] as const
export type PowerAuthStatus = (typeof POWER_AUTH_STATUSES)[number]

export interface PowerAuthActivation {
  activationId: string
  userId: string
  /** By default ACTIVE. */
  status?: PowerAuthStatus | undefined
  /** By default the first application. */
  applicationId?: string | undefined
}

/** Who may ask, once access is restricted. */
export interface PowerAuthClient {
  clientToken: string
  clientSecret: string
}

/** Instead of the usual answer, given so often (`times`) or until it is replaced. */
export type PowerAuthBehaviour = { times?: number | undefined } & (
  | { status: number; code?: string | undefined; message?: string | undefined }
  /** Exactly this text, with status 200: answers that nobody can use. */
  | { text: string }
  | { failure: Exclude<Failure, 'goaway'> }
)

export interface PowerAuthRequest {
  path: string
  requestObject: unknown
  authorization: string | undefined
  correlationId: string | undefined
}

export interface Directory {
  /** Requests that came in order, the latest last. */
  readonly requests: PowerAuthRequest[]
  addApplication(applicationId: string): void
  applications(): string[]
  /** Adds it or changes it; its application is added too. */
  addActivation(activation: PowerAuthActivation): void
  find(activationId: string): Required<PowerAuthActivation> | undefined
  /** From now on only this client may ask; undefined lets everybody. */
  restrict(client: PowerAuthClient | undefined): void
  admits(authorization: string | undefined): boolean
  /** Undefined is the usual way again. */
  behave(behaviour: PowerAuthBehaviour | undefined): void
  /** How to answer the next request; undefined the usual way. */
  takeBehaviour(): PowerAuthBehaviour | undefined
}

const FIRST_APPLICATION = 'mobile-app'
const REQUESTS_KEPT = 10_000

export function createDirectory(): Directory {
  const requests: PowerAuthRequest[] = []
  const applications = new Set<string>()
  const activations = new Map<string, Required<PowerAuthActivation>>()
  let client: PowerAuthClient | undefined
  let behaviour: PowerAuthBehaviour | undefined
  let left = Infinity

  return {
    requests,
    addApplication: (applicationId) => void applications.add(applicationId),
    applications: () => [...applications],
    addActivation({ activationId, userId, status = 'ACTIVE', applicationId }) {
      const [first = FIRST_APPLICATION] = applications
      applications.add(applicationId ?? first)
      activations.set(activationId, { activationId, userId, status, applicationId: applicationId ?? first })
    },
    find: (activationId) => activations.get(activationId),
    restrict: (expected) => void (client = expected),
    admits: (authorization) => client === undefined || authorization === basicOf(client),
    behave(expected) {
      behaviour = expected
      left = expected?.times ?? Infinity
    },
    takeBehaviour() {
      if (left <= 0) return undefined
      left -= 1
      return behaviour
    },
  }

  function basicOf({ clientToken, clientSecret }: PowerAuthClient) {
    return `Basic ${Buffer.from(`${clientToken}:${clientSecret}`).toString('base64')}`
  }
}

/** Keeps the latest ones only. */
export function remember({ requests }: Directory, request: PowerAuthRequest): void {
  requests.push(request)
  if (requests.length > REQUESTS_KEPT) requests.shift()
}

// The state of the fake of PowerAuth Server: applications, activations, the admitted client, and its behaviour.
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

/** Versions of the REST interface: PowerAuth Server 1.x has the first alone, 2.x both. */
export const POWER_AUTH_VERSIONS = ['v3', 'v4'] as const
export type PowerAuthVersion = (typeof POWER_AUTH_VERSIONS)[number]

/** The one client that is admitted, once access is restricted. */
export interface PowerAuthClient {
  clientToken: string
  clientSecret: string
}

/** What happens instead of the usual response, `times` times or until it is replaced. */
export type PowerAuthBehaviour = { times?: number | undefined } & (
  | { status: number; code?: string | undefined; message?: string | undefined }
  /** Exactly this text with status 200, for unusable responses. */
  | { text: string }
  | { failure: Exclude<Failure, 'goaway'> }
)

export interface PowerAuthRequest {
  path: string
  requestObject: unknown
  authorization: string | undefined
  correlationId: string | undefined
  traceparent: string | undefined
}

export interface Directory {
  /** Requests in the order in which they came. */
  readonly requests: PowerAuthRequest[]
  addApplication(applicationId: string): void
  applications(): string[]
  /** Adds it or changes it; its application is added too. */
  addActivation(activation: PowerAuthActivation): void
  find(activationId: string): Required<PowerAuthActivation> | undefined
  /** Admits only this client from now on; undefined: any. */
  restrict(client: PowerAuthClient | undefined): void
  admits(authorization: string | undefined): boolean
  /** Serves these versions of the interface alone from now on; at first both. */
  serve(versions: readonly PowerAuthVersion[]): void
  serves(version: PowerAuthVersion): boolean
  /** Undefined: the usual responses again. */
  behave(behaviour: PowerAuthBehaviour | undefined): void
  /** Behaviour for the next request; undefined: the usual response. */
  takeBehaviour(): PowerAuthBehaviour | undefined
}

const FIRST_APPLICATION = 'mobile-app'
const REQUESTS_KEPT = 10_000

export function createDirectory(): Directory {
  const requests: PowerAuthRequest[] = []
  const applications = new Set<string>()
  const activations = new Map<string, Required<PowerAuthActivation>>()
  let client: PowerAuthClient | undefined
  let served: readonly PowerAuthVersion[] = POWER_AUTH_VERSIONS
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
    serve: (versions) => void (served = [...versions]),
    serves: (version) => served.includes(version),
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

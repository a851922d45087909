// Activations tie a device to a user. The registry that knows them stands behind this interface.
import { refusal, type ActivationStatus } from '@push-server/contract'
import type { Logger, Span } from '@push-server/runtime'

export interface Activation {
  userId: string
  status: ActivationStatus
  /** Null belongs to any application. */
  applicationId: string | null
}

/** What a registration says about its activations beside the ids. */
export interface ActivationHint {
  appId: string
  userId?: string | null | undefined
  status?: ActivationStatus | null | undefined
}

/** The request on whose behalf activations are looked up: its correlation id, the span that it is in a trace, and its log. */
export interface RequestedBy {
  id: string
  span?: Pick<Span, 'traceparent'> | null
  log: Pick<Logger, 'warn'>
}

export interface ActivationQuery {
  /** Each once. */
  activationIds: readonly string[]
  hint?: ActivationHint
  caller: RequestedBy
}

/** The registry is unavailable or its response is unusable: what is not known must not be guessed. The log says why. */
export class ActivationsUnavailable extends Error {
  override readonly name = 'ActivationsUnavailable'
}

/** For a `catch`: turns an unavailable registry into a refusal with this text. Other errors are thrown on. */
export const refuseUnavailable =
  (text: string) =>
  (error: unknown): never => {
    throw error instanceof ActivationsUnavailable ? refusal(text, error) : error
  }

export interface Activations {
  /** Whether the server stores what a registration says of its activations. */
  readonly keeps: boolean
  /** Whether a registration of one activation that names its user and its status is believed without a call. */
  readonly believes: boolean
  /** In the order of the ids; undefined for an unknown activation. Rejects with ActivationsUnavailable. */
  find(query: ActivationQuery): Promise<(Activation | undefined)[]>
  /** Ids of the applications it knows of, in its order. Rejects with ActivationsUnavailable. */
  applications(caller: RequestedBy): Promise<string[]>
  /** For health: rejects while the registry is unavailable. Missing where the registry is local. */
  check?(): Promise<void>
  close(): Promise<void>
}

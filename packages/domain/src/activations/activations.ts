// Activations tie a device to a user. Whoever answers for them stands behind this interface.
import { refusal, type ActivationStatus } from '@push-server/contract'
import type { Logger } from '@push-server/runtime'

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

/** On whose behalf something is asked: a request with its correlation id. */
export interface RequestedBy {
  id: string
  log: Pick<Logger, 'warn'>
}

export interface ActivationQuery {
  /** Each once. */
  activationIds: readonly string[]
  hint?: ActivationHint
  caller: RequestedBy
}

/** Nobody could be asked, or the answer was none: what is not known must not be guessed. The log says why. */
export class ActivationsUnavailable extends Error {
  override readonly name = 'ActivationsUnavailable'
}

/** For a `catch`: refuses with this text what could not be asked for; other faults stay what they are. */
export const refuseUnavailable =
  (text: string) =>
  (error: unknown): never => {
    throw error instanceof ActivationsUnavailable ? refusal(text, error) : error
  }

export interface Activations {
  /** Whether what a registration said of its activations is to be kept with it. */
  readonly keeps: boolean
  /** In the order of the ids; undefined where nobody knows the activation. Rejects with ActivationsUnavailable. */
  ask(query: ActivationQuery): Promise<(Activation | undefined)[]>
  /** Ids of the applications it knows of, in its order. Rejects with ActivationsUnavailable. */
  applications(caller: RequestedBy): Promise<string[]>
  /** For health: rejects when it cannot be asked just now. Missing where there is nobody to ask. */
  check?(): Promise<void>
  close(): Promise<void>
}

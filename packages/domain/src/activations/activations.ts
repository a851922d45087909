// Activations tie a device to a user. Whoever answers for them stands behind this interface.
import type { ActivationStatus } from '@push-server/contract'

export interface Activation {
  userId: string
  status: ActivationStatus
  /** Null belongs to any application. */
  applicationId: string | null
}

/** What a registration says about its activation beside the id. */
export interface ActivationHint {
  appId: string
  userId?: string | null | undefined
  status?: ActivationStatus | null | undefined
}

export interface Activations {
  /** Undefined when nobody knows the activation. */
  resolve(activationId: string, hint: ActivationHint): Promise<Activation | undefined>
  /** Told once a registration stands: what it said of its activation may be kept now. */
  keep(activationId: string, activation: Activation): Promise<void>
}

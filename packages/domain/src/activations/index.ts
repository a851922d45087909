// Activations: who a device belongs to.
export {
  ActivationsUnavailable,
  refuseUnavailable,
  type Activation,
  type ActivationHint,
  type Activations,
  type RequestedBy,
} from './activations.ts'
export { localRegistry } from './local-registry.ts'
export { openActivations } from './open.ts'

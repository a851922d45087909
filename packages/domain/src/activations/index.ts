// Activations: who a device belongs to.
export type { Activation, ActivationHint, Activations } from './activations.ts'
export { localRegistry } from './local-registry.ts'

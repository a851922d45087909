// Devices: registrations of push tokens.
export { registerDevice, removeDevice } from './register.ts'

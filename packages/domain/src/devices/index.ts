export { registerDevice, removeDevice } from './register.ts'

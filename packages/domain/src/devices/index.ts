// Devices: registrations of push tokens.
export { listDeviceEvents } from './history.ts'
export { importDevices } from './import.ts'
export { listDevices, removeDevice, updateDeviceStatus } from './manage.ts'
export { registerDevice, registerDevices, type Registry } from './register.ts'

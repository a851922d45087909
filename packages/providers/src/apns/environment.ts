// Which of Apple's two services a device's token belongs to. Pure.
import type { Environment } from '../provider.ts'

/** Environment of devices that name none: the application's setting, or else the server's. */
export const baseEnvironment = (application: Environment | null, useDevelopment: boolean): Environment =>
  application ?? (useDevelopment ? 'development' : 'production')

/** Undefined when the device is refused: a development device does not belong in an application that is in production. */
export function environmentOf(device: Environment | undefined, base: Environment): Environment | undefined {
  if (device === 'development' && base === 'production') return undefined
  return device ?? base
}

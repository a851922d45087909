// The simulator as a place to push to: its start, and the settings that lead a service to it.
import { ConfigError, type Config, type Environment } from '@push-server/runtime'
import { startSimulator, type Simulator } from '@push-server/simulator'
import { writeAuthority, type Folders } from './environment.ts'

export async function startPhones(
  { simulatorPort: port, allowedHosts }: Pick<Config, 'simulatorPort' | 'allowedHosts'>,
  { simulator: certificateDir }: Folders,
): Promise<Simulator> {
  try {
    return await startSimulator({ port, allowedHosts, certificateDir })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new ConfigError(`Port ${port} is taken. Set SIMULATOR_PORT to a free one.`, { cause: error })
  }
}

/** Every provider simulated. Writes the file with the certificate authority that they name. */
export async function settingsFor({ apns, fcm, hms }: Simulator, folders: Folders): Promise<Environment> {
  const authority = await writeAuthority(folders, apns.ca)
  return {
    APNS_PRODUCTION_URL: apns.origin,
    APNS_DEVELOPMENT_URL: apns.origin,
    APNS_CA_FILE: authority,
    FCM_BASE_URL: fcm.origin,
    FCM_TOKEN_URL: fcm.tokenUrl,
    FCM_CA_FILE: authority,
    HMS_BASE_URL: hms.origin,
    HMS_TOKEN_URL: hms.tokenUrl,
    HMS_CA_FILE: authority,
  }
}

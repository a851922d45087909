// The simulator as a place to push to: its start, and the settings that lead a service to it.
import { ConfigError, type Config, type Environment } from '@push-server/runtime'
import { powerAuthSettings, simulatorSettings, startSimulator, type Simulator } from '@push-server/simulator'
import { authorityFile, writeAuthority, type Folders } from './environment.ts'

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
export const settingsFor = async (simulator: Simulator, folders: Folders): Promise<Environment> =>
  simulatorSettings(simulator, await writeAuthority(folders, simulator.apns.ca))

/** For people: how to lead a service to the fake of PowerAuth Server, which nothing uses by itself. */
export const powerAuthLine = (simulator: Simulator, folders: Folders): string =>
  Object.entries(powerAuthSettings(simulator, authorityFile(folders)))
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')

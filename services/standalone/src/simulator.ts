// Launches the simulator alone, for services that are started one by one: prints the settings that lead them to it.
import { readConfig, runProcess } from '@push-server/runtime'
import { makeFolders } from './environment.ts'
import { powerAuthLine, settingsFor, startPhones } from './phones.ts'

await runProcess(async () => {
  const config = readConfig(process.env)
  const folders = await makeFolders(config.dataDir)
  const simulator = await startPhones(config, folders)
  const settings = Object.entries(await settingsFor(simulator, folders))
  process.stdout.write(settings.map(([name, value]) => `export ${name}='${value}'\n`).join(''))
  process.stderr.write(`Phones: ${simulator.url}/\nPowerAuth Server: ${powerAuthLine(simulator, folders)}\n`)
  return simulator.stop
})

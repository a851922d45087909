// What `npm start` runs, for a test: on a database of the test run, free ports and a folder of its own.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApi, createDatabase, freePort, type Api, type TestBackend } from '@push-server/testing'
import type { Test } from 'tap'
import { startStandalone } from '../src/standalone.ts'

export interface Demo {
  api: Api
  /** Page of the simulated phones. */
  phones: string
  /** What is printed once it runs. */
  banner: string
}

/** Runs until the test ends. */
export async function startDemo(t: Pick<Test, 'teardown'>, backend?: TestBackend): Promise<Demo> {
  const database = await createDatabase()
  t.teardown(database.close)
  const dataDir = await mkdtemp(join(tmpdir(), 'push-demo-'))
  t.teardown(() => rm(dataDir, { recursive: true }))
  const [port, simulatorPort] = [await freePort(), await freePort()]
  const environment = {
    DATABASE_URL: database.url,
    DATA_DIR: dataDir,
    LOG_LEVEL: 'silent',
    PORT: String(port),
    SIMULATOR_PORT: String(simulatorPort),
    ...backend?.environment(),
  }
  let banner = ''
  t.teardown(await startStandalone(environment, (text) => void (banner += text)))
  return { banner, api: createApi(`http://127.0.0.1:${port}`), phones: `http://127.0.0.1:${simulatorPort}` }
}

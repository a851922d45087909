// Whole workers of one tree, from a chunk in the queue to its outcomes in the database, on both back ends of the queue.
import { importDevices, createCampaign, startServer } from '../server.ts'
import { realScenario } from '../scenarios.ts'
import { openStage } from '../stage.ts'
import { QUICK_AUDIENCE, runWorkers, type Ground, type Setup } from '../worker-run.ts'
import { nameOf } from '../worker-table.ts'
import { serverFigures, type OpenSubject } from './subject.ts'

const DEVICES = 300_000
const PLATFORMS = ['ios'] as const

export const openWorker: OpenSubject = async (
  tree,
  { quick, devices: audience = quick ? QUICK_AUDIENCE : DEVICES },
) => {
  const { latencyMs } = realScenario(PLATFORMS[0])
  await using stack = new AsyncDisposableStack()
  const stage = stack.adopt(
    await openStage({ backend: 'redis', latencyMs, platforms: PLATFORMS, tree, maintenance: 'by-hand' }),
    (it) => it.close(),
  )
  const server = stack.adopt(await startServer(stage, { platforms: PLATFORMS, workers: 0, schedulers: 0 }), (it) =>
    it.stop(),
  )
  const [provider] = stage.providers
  if (!provider) throw new Error('There is no provider')
  await importDevices(server, audience, PLATFORMS)
  const campaign = await createCampaign(server, audience)
  const ground: Ground = { stage, server, provider, campaign, audience, settings: {} }
  const setups: Setup[] = [1, ...(quick ? [] : [2])].flatMap((workers) => [
    { backend: 'redis', workers },
    { backend: 'postgresql', workers },
  ])
  const cases = setups.map((setup) => ({
    name: nameOf(setup),
    measure: async () => serverFigures('workers', (await runWorkers(ground, setup)).cost),
  }))
  const opened = stack.move()
  return { cases, close: () => opened.disposeAsync() }
}

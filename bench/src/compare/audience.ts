// A stage with an audience and a campaign to it, made once through the API of the tree; services are started on it in each round.
import { PLATFORMS } from '@push-server/contract'
import type { Tree } from '@push-server/testing'
import { createCampaign, importDevices, startServer } from '../server.ts'
import { openStage, type Stage } from '../stage.ts'

export interface Audience {
  stage: Stage
  campaign: string
}

export async function openAudience(tree: Tree, devices: number): Promise<Audience> {
  const stage = await openStage({ backend: 'redis', latencyMs: { min: 25, max: 75 }, tree, maintenance: 'by-hand' })
  try {
    const server = await startServer(stage, { workers: 0, schedulers: 0 })
    try {
      await importDevices(server, devices, PLATFORMS)
      return { stage, campaign: await createCampaign(server, devices) }
    } finally {
      await server.stop()
    }
  } catch (error) {
    await stage.close()
    throw error
  }
}

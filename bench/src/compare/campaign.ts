// A whole campaign on one tree. Audience and database stay from round to round; the services are fresh in each, and send the
// campaign once before they are measured, since compiling their code costs more than a small audience.
import { sendCampaign } from '../campaign-run.ts'
import { costBetween, readCost } from '../server-cost.ts'
import { startServices } from '../server.ts'
import type { Stage } from '../stage.ts'
import { openAudience } from './audience.ts'
import { serverFigures, type OpenSubject } from './subject.ts'

const DEVICES = { quick: 100_000, long: 1_000_000 }

export const openCampaign: OpenSubject = async (tree, { quick, devices = quick ? DEVICES.quick : DEVICES.long }) => {
  const { stage, campaign } = await openAudience(tree, devices)
  return { cases: [{ name: 'campaign', measure: () => measure(stage, campaign, devices) }], close: stage.close }
}

async function measure(stage: Stage, campaign: string, devices: number) {
  const server = await startServices(stage)
  try {
    const sending = { server, stage, id: campaign, devices }
    await sendCampaign(sending)
    await stage.maintain()
    const watched = { services: server.services, postgres: stage.postgres, redis: stage.redis }
    const before = readCost(watched, (await stage.seen()).pushes)
    const { totalMs } = await sendCampaign(sending)
    const after = readCost(watched, (await stage.seen()).pushes)
    const cost = { ...costBetween(before, after), seconds: totalMs / 1_000 }
    if (cost.pushes !== devices) throw new Error(`${devices} devices, but ${cost.pushes} pushes by ${stage.tree.name}`)
    return serverFigures('our processes', cost)
  } finally {
    await server.stop()
  }
}

// Direct messages beside a campaign on one tree: how long they take on an idle server and on a busy one.
import { quantile, runLanes } from '../lanes-run.ts'
import { startServices } from '../server.ts'
import type { Stage } from '../stage.ts'
import { openAudience } from './audience.ts'
import type { Figure } from './figures.ts'
import type { OpenSubject } from './subject.ts'

const SIZES = { quick: { devices: 100_000, messages: 400 }, long: { devices: 500_000, messages: 2_000 } }

export const openLanes: OpenSubject = async (tree, { quick, devices }) => {
  const size = SIZES[quick ? 'quick' : 'long']
  const { stage, campaign } = await openAudience(tree, devices ?? size.devices)
  return { cases: [{ name: 'lanes', measure: () => measure(stage, campaign, size.messages) }], close: stage.close }
}

async function measure(stage: Stage, campaign: string, messages: number): Promise<Figure[]> {
  const server = await startServices(stage)
  try {
    const { idle, busy } = await runLanes(server, campaign, messages)
    return [...figuresOf('idle', idle), ...figuresOf('during a campaign', busy)]
  } finally {
    await server.stop()
  }
}

const figuresOf = (when: string, times: readonly number[]): Figure[] =>
  [50, 99].map((percent) => ({
    name: `${when}, p${percent}, ms`,
    value: quantile(times, percent / 100),
    better: 'lower',
  }))

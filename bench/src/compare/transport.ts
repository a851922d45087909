// Our ways to the providers on one tree: its own push process against the load server of this one.
import { SCENARIOS } from '../scenarios.ts'
import type { Run } from '../table.ts'
import { runTransport, type Times } from '../transport-run.ts'
import type { Figure } from './figures.ts'
import type { OpenSubject } from './subject.ts'

const TIMES: Record<'quick' | 'long', Times> = {
  quick: { warmUpMs: 1_000, measureMs: 2_000 },
  long: { warmUpMs: 2_000, measureMs: 4_000 },
}

export const openTransport: OpenSubject = async (tree, { quick }) => {
  const times = TIMES[quick ? 'quick' : 'long']
  const scenarios = SCENARIOS.filter(({ isQuick }) => isQuick || !quick)
  const cases = scenarios.flatMap((scenario) =>
    scenario.contenders
      .filter(({ client }) => client.startsWith('ours'))
      .map((contender) => ({
        name: `${contender.client}, ${scenario.name}`,
        measure: async () => figuresOf(await runTransport(scenario, contender, { ...times, tree })),
      })),
  )
  return { cases, close: async () => {} }
}

function figuresOf({ client, pushes, failed, seconds, cpuMicros }: Run): Figure[] {
  if (failed > 0 || pushes === 0) throw new Error(`${client}: ${pushes} pushes were accepted, ${failed} failed`)
  return [
    { name: 'µs CPU/push', value: cpuMicros / pushes, better: 'lower' },
    { name: 'throughput, pushes/s', value: pushes / seconds, better: 'higher' },
  ]
}

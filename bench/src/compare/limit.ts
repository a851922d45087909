// How much of a provider's limit one tree uses, and at what cost.
import { runLimit, type LimitRun } from '../limit-run.ts'
import type { Figure } from './figures.ts'
import type { OpenSubject } from './subject.ts'

const PER_SECOND = 5_000

export const openLimit: OpenSubject = async (tree, { quick }) => {
  const seconds = quick ? 15 : 60
  const cases = (['ios', 'android'] as const).map((platform) => ({
    name: `${platform}, ${PER_SECOND} pushes/s at most`,
    measure: async () => figuresOf(await runLimit({ platform, perSecond: PER_SECOND, seconds, tree })),
  }))
  return { cases, close: async () => {} }
}

const figuresOf = ({ used, refused, core }: LimitRun): Figure[] => [
  { name: 'used, % of the limit', value: used, better: 'higher' },
  { name: 'refused, % of the requests', value: refused, better: 'lower' },
  { name: 'our process, % of a core', value: core, better: 'lower' },
]

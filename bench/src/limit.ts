// `npm run bench:limit [-- --quick --rate 5000]`: how much of a provider's limit is used, and how many pushes are refused for it.
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { LATENCY_MS, runLimit, total, WARM_UP_SECONDS, type LimitOptions } from './limit-run.ts'

const GOAL = { used: 95, refused: 2 }

const print = (line: string) => void process.stdout.write(`${line}\n`)

async function measure(platform: LimitOptions['platform'], perSecond: number, seconds: number): Promise<boolean> {
  const { all, used, refused, core } = await runLimit({ platform, perSecond, seconds })
  const isMet = used >= GOAL.used && refused < GOAL.refused
  print(`${platform}: sent per second ${all.map(({ sent }) => sent).join(' ')}`)
  print(`${platform}: refused per second ${all.map((each) => each.refused).join(' ')}`)
  print(`${platform}: held back ${total(all, 'held')}; our process took ${core.toFixed(0)} % of a core`)
  print(
    `${isMet ? '✔' : '✖'} ${platform}: after ${WARM_UP_SECONDS} s, ${used.toFixed(1)} % of ${perSecond}/s used (at least ` +
      `${GOAL.used}), ${refused.toFixed(2)} % of requests refused (under ${GOAL.refused})`,
  )
  if (used < GOAL.used && refused < GOAL.refused)
    print(
      `  The limit was hardly reached: this machine, with a load of ${loadavg()[0]?.toFixed(1)}, may be the narrower one.`,
    )
  return isMet
}

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, rate: { type: 'string', default: '5000' } } })
const rate = Number(values.rate)
print(`A provider that takes ${rate}/s, responds after ${LATENCY_MS.min} to ${LATENCY_MS.max} ms`)
for (const platform of ['ios', 'android'] as const) {
  if (!(await measure(platform, rate, values.quick ? 15 : 60))) process.exitCode = 1
}

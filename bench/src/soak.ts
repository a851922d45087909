// `npm run soak [-- --quick] [--minutes 10] [--seed 7] [--backend postgresql]`: every kind of load while services, PostgreSQL, the
// queue and the providers fail at random. Fails when anything accepted was lost or doubled beyond what was in flight, or when
// a process has grown. `--quick` takes under a minute.
import { parseArgs } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigError } from '@push-server/runtime'
import { createRandom } from '@push-server/testing'
import { createFailures, injectFailures } from './soak/failures.ts'
import { createSentMessages } from './soak/sent-messages.ts'
import { startLoad } from './soak/load.ts'
import { openSoakStage, type SoakStage } from './soak/stage.ts'
import { judge } from './soak/verdict.ts'
import { describeVitals, isLevel, readVitals } from './soak/vitals.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    backend: { type: 'string', default: 'redis' },
  },
})
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const loadMs = values.quick ? 30_000 : Number(values.minutes) * 60_000
/** Without failures: processes reach their size, which they are compared with at the end. */
const warmUpMs = values.quick ? 4_000 : 60_000
const pauseMs = values.quick ? { min: 300, max: 1_200 } : { min: 2_000, max: 12_000 }
const print = (line: string) => void process.stdout.write(`${line}\n`)

/** What waits for ever, or somebody who has seen enough, ends the soak as well. */
const LONGEST_MS = loadMs + 20 * 60_000
const ended = Promise.withResolvers<never>()
setTimeout(() => ended.reject(new Error('It did not come to an end')), LONGEST_MS)
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => ended.reject(new Error('Interrupted')))

async function soak(stage: SoakStage): Promise<boolean> {
  const random = createRandom(seed)
  const sentMessages = createSentMessages()
  const load = startLoad(stage, { sentMessages, random: createRandom(seed + 1) })
  await Promise.race([sleep(warmUpMs), load.failed])
  const before = await readVitals(stage)
  const waitFor = Date.now() + loadMs - warmUpMs
  const injecting = injectFailures(createFailures(stage, random), { random, pauseMs, waitFor })
  const injected = await Promise.race([injecting, load.failed])
  await load.stop()
  const isWhole = await judge(stage, { sentMessages, injected, print })
  const after = await readVitals(stage)
  for (const line of describeVitals(before, after)) print(line)
  return isWhole && isLevel(before, after)
}

print(`soak: ${loadMs / 1000} s of load on ${values.backend}, seed ${seed}`)
const opening = openSoakStage(values.backend === 'postgresql' ? 'postgresql' : 'redis')
let isGood = false
try {
  isGood = await Promise.race([opening.then(soak), ended.promise])
} catch (error) {
  if (error instanceof ConfigError) {
    // A person has to correct it. It is found while the stage is opened, which has closed what it had.
    print(error.message)
    process.exit(1)
  }
  print(String(error instanceof Error ? error.stack : error))
} finally {
  await opening.then(
    (stage) => stage.close(),
    () => undefined,
  )
}
print(isGood ? `✔ nothing was lost; seed ${seed}` : `✖ not as promised; --seed ${seed} runs it again`)
// Not by itself: what was given up may still be waiting.
process.exit(isGood ? 0 : 1)

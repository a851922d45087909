// How much garbage a process lets gather. The young generation can be bounded only when a process starts: NODE_OPTIONS in the
// Dockerfile, docs/deploy.md.
import { setFlagsFromString } from 'node:v8'

/**
 * Left alone, V8 collects old objects once they take four times what was alive the last time. What a worker has alive is the
 * same from the first chunk of a campaign to the last, so all above it would be garbage: the longer the campaign, the more of
 * it. V8 reads this one after each collection, so that it works in a process that runs. Less costs time, more costs memory:
 * docs/performance.md.
 */
const GROWTH_PERCENT = 50

/** To be called before the process has work. */
export const boundGarbage = (): void => setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`)

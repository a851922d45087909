// How much of the machine's cores is in use, by /proc/stat; of Linux only. It shows what other programs use as well.
import { readFileSync } from 'node:fs'

export interface UseSample {
  /** Milliseconds since the epoch. */
  at: number
  /** Of all cores, in ticks. */
  busy: number
  total: number
}

const EVERY_MS = 50

export interface UseWatch {
  stop(): UseSample[]
}

export function watchUse(): UseWatch {
  const samples: UseSample[] = []
  const take = () => {
    const sample = readUse()
    if (sample) samples.push(sample)
  }
  const timer = setInterval(take, EVERY_MS)
  take()
  return {
    stop() {
      clearInterval(timer)
      take()
      return samples
    },
  }
}

function readUse(): UseSample | undefined {
  try {
    return useFrom(readFileSync('/proc/stat', 'utf8'), performance.timeOrigin + performance.now())
  } catch {
    // Another system.
    return undefined
  }
}

/** The first line: user, nice, system, idle, waiting for a disk, interrupts, soft interrupts, stolen. */
export function useFrom(stat: string, at: number): UseSample {
  const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, interrupts = 0, soft = 0, stolen = 0] =
    /^cpu\s+(.*)$/m.exec(stat)?.[1]?.split(' ').map(Number) ?? []
  const busy = user + nice + system + interrupts + soft
  return { at, busy, total: busy + idle + waiting + stolen }
}

/** Of the middle half of a run; NaN where it was too short for two samples. */
export function useInTheMiddle(samples: readonly UseSample[], startedAt: number, endedAt: number): number {
  const quarter = (endedAt - startedAt) / 4
  const inside = samples.filter(({ at }) => at >= startedAt + quarter && at <= endedAt - quarter)
  const [first, last] = [inside[0], inside.at(-1)]
  if (!first || !last) return NaN
  return (last.busy - first.busy) / (last.total - first.total)
}

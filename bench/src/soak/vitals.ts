// What a process is made of at some moment, by its own metrics: memory, open files and sockets, how late its event loop is.
import type { SoakService, SoakStage } from './stage.ts'

export interface Vitals {
  name: string
  memoryMb: number
  files: number
  lagMs: number
}

/** Of each service, in their order. */
export const readVitals = ({ services }: SoakStage): Promise<Vitals[]> => Promise.all(services.map(vitalsOf))

async function vitalsOf({ name, url, ready }: SoakService): Promise<Vitals> {
  await ready()
  const text = await (await fetch(`${url}/metrics`)).text()
  const read = (metric: string) => Number(new RegExp(`^${metric} (\\S+)$`, 'm').exec(text)?.[1])
  return {
    name,
    memoryMb: read('process_resident_memory_bytes') / 1_000_000,
    files: read('process_open_fds'),
    lagMs: read('nodejs_eventloop_lag_mean_seconds') * 1_000,
  }
}

/** Generous: a heap grows until it has to be collected, pools of connections grow under load, and others use the machine too. */
const MORE = { memoryMb: 150, files: 120, lagMs: 1_000 }

const isLevelOf = (was: Vitals, is: Vitals) =>
  is.memoryMb < was.memoryMb + MORE.memoryMb && is.files < was.files + MORE.files && is.lagMs < was.lagMs + MORE.lagMs

export const isLevel = (before: readonly Vitals[], after: readonly Vitals[]): boolean =>
  before.every((was, index) => {
    const is = after[index]
    return is !== undefined && isLevelOf(was, is)
  })

export function describeVitals(before: readonly Vitals[], after: readonly Vitals[]): string[] {
  const reported = ({ memoryMb, files, lagMs }: Vitals) =>
    `${memoryMb.toFixed(0)} MB, ${files} files, ${lagMs.toFixed(1)} ms late`
  return before.map((was, index) => {
    const is = after[index]
    return is
      ? `${isLevelOf(was, is) ? '✔' : '✖'} ${was.name}: ${reported(was)}; at the end ${reported(is)}`
      : `✖ ${was.name}`
  })
}

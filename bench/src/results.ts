// What a benchmark found, kept as JSON beside what it was found with.
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'

const RESULTS = 'bench/results'

export const machine = (): string => `Node.js ${process.version}, ${cpus()[0]?.model}, ${cpus().length} cores`

/** The file's name, which begins with that of the benchmark. */
export function keepResults(benchmark: string, found: object): string {
  mkdirSync(RESULTS, { recursive: true })
  const file = `${RESULTS}/${benchmark}-${new Date().toISOString().replaceAll(':', '-')}.json`
  const content = { node: process.version, cpu: cpus()[0]?.model, ...found }
  writeFileSync(file, JSON.stringify(content, undefined, 2))
  return file
}

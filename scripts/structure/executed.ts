// Which files and functions of the product run during a call, by V8's precise coverage of this process.
import { readFileSync } from 'node:fs'
import { Session, type Profiler } from 'node:inspector/promises'
import { fileURLToPath } from 'node:url'

export interface Executed {
  /** Relative to the root of the repository. */
  files: string[]
  functions: number
  /** Lines of each function of the product that V8 knows by now, run or not. */
  functionLines: number[]
}

/** Sources of the product: neither tests, nor simulated providers, nor dependencies. */
const PRODUCT = /\/((?:packages|services)\/(?!testing|simulator|embedded-postgres)[^/]+\/src\/.+\.ts)$/

/** What runs while `call` does. It is called `warmUps` times before, so that nothing of the start is counted. */
export async function executedBy(call: () => Promise<void>, warmUps: number): Promise<Executed> {
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
    for (let times = 0; times < warmUps; times++) await call()
    // Taking the counts sets them to zero, and names all functions there are, run or not.
    const { result: known } = await session.post('Profiler.takePreciseCoverage')
    await call()
    const { result } = await session.post('Profiler.takePreciseCoverage')
    return { ...waysThrough(result), functionLines: linesOfFunctions(known) }
  } finally {
    session.disconnect()
  }
}

function waysThrough(scripts: readonly Profiler.ScriptCoverage[]): Pick<Executed, 'files' | 'functions'> {
  const called = productScripts(scripts).map(({ path, functions }) => ({
    path,
    count: functions.filter(({ count }) => count > 0).length,
  }))
  const files = called.filter(({ count }) => count > 0).map(({ path }) => path)
  return { files: files.toSorted(), functions: called.reduce((sum, { count }) => sum + count, 0) }
}

const linesOfFunctions = (scripts: readonly Profiler.ScriptCoverage[]): number[] =>
  productScripts(scripts).flatMap(({ url, functions }) => {
    const source = readFileSync(new URL(url), 'utf8')
    return functions.map(({ startOffset, endOffset }) => source.slice(startOffset, endOffset).split('\n').length)
  })

const productScripts = (scripts: readonly Profiler.ScriptCoverage[]) =>
  scripts.flatMap(({ url, functions }) => {
    const path = url.startsWith('file:') ? PRODUCT.exec(fileURLToPath(url))?.[1] : undefined
    // The first entry is the module itself, which has run when it was loaded.
    return path === undefined
      ? []
      : { path, url, functions: functions.slice(1).flatMap(({ ranges }) => ranges[0] ?? []) }
  })

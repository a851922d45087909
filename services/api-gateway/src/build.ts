// What this is: its version, and when it was built. The image writes the time beside package.json; a checkout has the time of its commit,
// and any other copy that of its newest file.
import { execFile } from 'node:child_process'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { instantOf, timestampOf } from '@push-server/contract'
import manifest from '../package.json' with { type: 'json' }

export interface Build {
  version: string
  buildTime: string
}

export interface BuildSources {
  /** Holds an ISO 8601 time with offset, where it exists. */
  file: URL
  /** Folder of the sources, perhaps in a checkout. */
  sources: string
}

const OWN: BuildSources = {
  file: new URL('../../../build-time', import.meta.url),
  sources: fileURLToPath(new URL('.', import.meta.url)),
}

/** Anything in the file but a time stops the start. */
export async function readBuild({ file, sources }: BuildSources = OWN): Promise<Build> {
  const time = (await timeIn(file)) ?? (await timeOfCommit(sources)) ?? (await timeOfNewest(sources))
  return { version: manifest.version, buildTime: timestampOf(new Date(time)) }
}

async function timeIn(file: URL): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  if (text === undefined) return undefined
  const time = instantOf(text.trim())
  if (time === undefined) throw new Error(`${file.pathname} does not hold an ISO 8601 time with offset`)
  return time
}

/** Undefined where there is no git or no commit: then the files have to say it. */
async function timeOfCommit(sources: string): Promise<number | undefined> {
  const { stdout } = await promisify(execFile)('git', ['log', '-1', '--format=%cI', '--', '.'], { cwd: sources }).catch(
    () => ({ stdout: '' }),
  )
  return instantOf(stdout.trim())
}

async function timeOfNewest(sources: string): Promise<number> {
  const names = await readdir(sources, { recursive: true })
  const files = await Promise.all(names.map((name) => stat(join(sources, name))))
  return Math.max(...files.filter((file) => file.isFile()).map(({ mtimeMs }) => Math.floor(mtimeMs)))
}

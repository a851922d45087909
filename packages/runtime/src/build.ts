// What this is: its version, and when it was built. The image has the time beside package.json; elsewhere it is that of the commit or, without
// one, of the newest file.
import { execFile } from 'node:child_process'
import { access, glob, readFile, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { instantOf, timestampOf } from '@push-server/contract'
import manifest from '../package.json' with { type: 'json' }

export interface Build {
  version: string
  buildTime: string
}

const ROOT = new URL('../../../', import.meta.url)
const PARTS = '{packages,services}/*/{package.json,src/**}'
const GIT_MS = 5_000

/** `root` ends with a slash. A file `build-time` in it that holds no ISO 8601 time with offset stops the start. */
export async function readBuild(root: URL = ROOT): Promise<Build> {
  const time = (await writtenTime(root)) ?? (await commitTime(root)) ?? (await newestTime(root))
  return { version: manifest.version, buildTime: timestampOf(time) }
}

async function writtenTime(root: URL): Promise<Date | undefined> {
  const file = new URL('build-time', root)
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  if (text === undefined) return undefined
  const time = instantOf(text.trim())
  if (time === undefined) throw new Error(`${file.pathname} does not hold an ISO 8601 time with offset`)
  return new Date(time)
}

/** Of the commit that is checked out here, and not of a repository that only has this folder somewhere in it. */
async function commitTime(root: URL): Promise<Date | undefined> {
  try {
    await access(new URL('.git', root))
    const options = { cwd: fileURLToPath(root), timeout: GIT_MS }
    const { stdout } = await promisify(execFile)('git', ['log', '-1', '--format=%cI'], options)
    const time = instantOf(stdout.trim())
    return time === undefined ? undefined : new Date(time)
  } catch {
    // No repository, no git, no commit yet, or files of another user: the newest file has to do.
    return undefined
  }
}

async function newestTime(root: URL): Promise<Date> {
  const cwd = fileURLToPath(root)
  let newest = 0
  for await (const path of glob(PARTS, { cwd })) {
    const found = await stat(`${cwd}${path}`)
    if (found.isFile()) newest = Math.max(newest, found.mtimeMs)
  }
  return new Date(newest)
}

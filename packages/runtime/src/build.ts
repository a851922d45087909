// What this is: its version, and when it was built. The image writes the time beside package.json; elsewhere nobody knows.
import { readFile } from 'node:fs/promises'
import { instantOf, timestampOf } from '@push-server/contract'
import manifest from '../package.json' with { type: 'json' }

export interface Build {
  version: string
  buildTime?: string
}

const BUILD_TIME = new URL('../../../build-time', import.meta.url)

/** The file holds an ISO 8601 time with offset; anything else stops the start. */
export async function readBuild(file: URL = BUILD_TIME): Promise<Build> {
  const { version } = manifest
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  if (text === undefined) return { version }
  const time = instantOf(text.trim())
  if (time === undefined) throw new Error(`${file.pathname} does not hold an ISO 8601 time with offset`)
  return { version, buildTime: timestampOf(new Date(time)) }
}

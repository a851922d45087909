// A folder that the export scripts have made: source.json, and a file of lines for each kind.
import { createReadStream } from 'node:fs'
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ConfigError } from '@push-server/runtime'
import type { Kind, OldRow } from './kinds.ts'
import { VERSIONS, type Source } from './source.ts'

export async function openFolder(folder: string): Promise<Source> {
  const version = await readVersion(join(folder, 'source.json'))
  return { version, rows: (kind) => readLines(folder, kind), async close() {} }
}

async function readVersion(file: string) {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new ConfigError(`The folder has no source.json, which its export writes: ${(error as Error).message}`)
  })
  const version = VERSIONS.find((each) => each === member(text, 'version'))
  if (!version) throw new ConfigError(`${file} names no version: {"version":"1.7"}, "1.9" or "1.10" is required`)
  return version
}

function member(text: string, name: string): unknown {
  try {
    return (JSON.parse(text) as Record<string, unknown> | null)?.[name]
  } catch {
    return undefined
  }
}

/** A line that is no JSON is not skipped: the export was cut, and the rest of it may be wrong too. */
async function* readLines(folder: string, kind: Kind['name']): AsyncGenerator<OldRow> {
  const file = join(folder, `${kind}.ndjson`)
  await access(file).catch((error: unknown) => {
    throw new ConfigError(
      `${file} cannot be read; an empty file says that there is nothing: ${(error as Error).message}`,
    )
  })
  let number = 0
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    number += 1
    // `bcp` and Windows write a mark in front.
    const line = number === 1 ? text.replace('\uFEFF', '') : text
    if (line.trim() !== '') yield rowOf(line, `${file}, line ${number}`)
  }
}

function rowOf(line: string, place: string): OldRow {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null) return value as OldRow
  } catch {
    // Its text may hold a key.
  }
  throw new ConfigError(`${place} is not the JSON of a row: export it again`)
}

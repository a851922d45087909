// Where the data comes from: a database, or a folder of exports.
import type { Kind, OldRow } from './kinds.ts'

/** `1.7`; `1.9`: 1.8 and 1.9; `1.10`: 1.10 to 2.x. What they have in common decides. */
export const VERSIONS = ['1.7', '1.9', '1.10'] as const
export type SourceVersion = (typeof VERSIONS)[number]

export const VERSION_NAMES: Readonly<Record<SourceVersion, string>> = {
  '1.7': '1.7',
  '1.9': '1.8 or 1.9',
  '1.10': '1.10 or 2.x',
}

export interface Source {
  version: SourceVersion
  /** Of one kind, always in the same order; each call begins anew on the same state. */
  rows(kind: Kind['name']): AsyncIterable<OldRow>
  close(): Promise<void>
}

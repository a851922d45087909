// Which rows a registration takes over, makes and removes. Pure.
import type { Platform, TokenKind } from '@push-server/contract'

export interface Registration {
  applicationId: number
  activationId: string
  userId: string
  platform: Platform
  environment: string | null
  token: string
  /** Null: the usual token of its platform. */
  tokenKind?: TokenKind | null
  active: boolean
}

/** A row of one of the activations, or one that has the token. */
export interface FoundRow {
  id: number
  activationId: string
}

export interface Changes {
  takenOver: { id: number; device: Registration }[]
  made: Registration[]
  /** Ids. */
  removed: number[]
}

/**
 * `devices` share application and token, each with an activation of its own. An activation keeps its row, wherever that was.
 * One without takes over the only other row with the token; several others make way for it, or nothing is changed.
 */
export function changesFor(
  devices: readonly Registration[],
  found: readonly FoundRow[],
  several: 'replace' | 'refuse',
): Changes | 'shared' {
  const rowOf = new Map(found.map((row) => [row.activationId, row.id]))
  const takenOver = devices.flatMap((device) => {
    const id = rowOf.get(device.activationId)
    return id === undefined ? [] : [{ id, device }]
  })
  const [first, ...others] = devices.filter((device) => !rowOf.has(device.activationId))
  if (first === undefined) return { takenOver, made: [], removed: [] }

  const listed = new Set(devices.map((device) => device.activationId))
  const strays = found.filter((row) => !listed.has(row.activationId)).map((row) => row.id)
  if (strays.length > 1 && several === 'refuse') return 'shared'
  const [stray] = strays
  if (stray === undefined || strays.length + takenOver.length > 1)
    return { takenOver, made: [first, ...others], removed: strays }
  return { takenOver: [{ id: stray, device: first }], made: others, removed: [] }
}

// Moves one kind through its import operation, or sends the same lines as a dry run to compare.
import type { ImportResult, LineError } from '@push-server/contract'
import { batchesOf } from './batches.ts'
import type { Kind, OldRow } from './kinds.ts'
import type { Source } from './source.ts'
import type { Target } from './target.ts'

export interface Tally extends Omit<ImportResult, 'errors'> {
  /** Lines that were sent. */
  sent: number
}

/** Lines that the target refused, or credentials of a line, for one reason. */
export interface Refusals {
  count: number
  /** Names of the first of them. */
  examples: string[]
}

export interface Moved {
  kind: Kind
  groups: Map<string, Tally>
  refusals: Map<string, Refusals>
}

interface Sent {
  result: Omit<ImportResult, 'errors'>
  errors: { error: LineError; line: OldRow }[]
}

const MOST_EXAMPLES = 5

export async function moveKind(
  { source, target }: { source: Source; target: Target },
  kind: Kind,
  options: { dryRun: boolean },
): Promise<Moved> {
  const moved: Moved = { kind, groups: new Map(), refusals: new Map() }
  for await (const { group, lines } of batchesOf(kind, source.rows(kind.name))) {
    const { result, errors } = await sendLines(target, kind, { lines, ...options })
    const tally = moved.groups.get(group) ?? { sent: 0, imported: 0, updated: 0, kept: 0, failed: 0 }
    moved.groups.set(group, tally)
    tally.sent += lines.length
    for (const name of ['imported', 'updated', 'kept', 'failed'] as const) tally[name] += result[name]
    const refuse = (reason: string, count: number, name?: string) => addRefusal(moved.refusals, reason, { count, name })
    for (const { error, line } of errors) refuse(`${error.fieldName} ${error.hint}`, 1, kind.nameOf(line))
    const named = errors.filter(({ error }) => !isOfPlatform(error)).length
    if (result.failed > named) refuse('further lines, not named', result.failed - named)
  }
  return moved
}

function addRefusal(
  refusals: Moved['refusals'],
  reason: string,
  { count, name }: { count: number; name: string | undefined },
): void {
  const refusal = refusals.get(reason) ?? { count: 0, examples: [] }
  refusals.set(reason, refusal)
  refusal.count += count
  if (name !== undefined && refusal.examples.length < MOST_EXAMPLES) refusal.examples.push(name)
}

/** An application whose credentials of one platform are refused is sent once more without these: its devices need it. */
async function sendLines(
  target: Target,
  kind: Kind,
  { lines, dryRun }: { lines: readonly OldRow[]; dryRun: boolean },
): Promise<Sent> {
  const { errors: given, ...result } = await target.send(kind.path, lines, { dryRun })
  const errors = given.flatMap((error) => {
    const line = lines[error.line - 1]
    return line ? [{ error, line }] : []
  })
  const reduced = errors.flatMap(({ error, line }) => (isOfPlatform(error) ? [withoutPlatform(line, error)] : []))
  if (kind.name !== 'applications' || reduced.length === 0) return { result, errors }
  const rest = await sendLines(target, kind, { lines: reduced, dryRun })
  return {
    result: {
      imported: result.imported + rest.result.imported,
      updated: result.updated + rest.result.updated,
      kept: result.kept + rest.result.kept,
      failed: result.failed - reduced.length + rest.result.failed,
    },
    errors: [...errors, ...rest.errors],
  }
}

const PLATFORM_MEMBER = /^(apns|fcm|hms)[A-Z]/
const isOfPlatform = ({ fieldName }: LineError) => PLATFORM_MEMBER.test(fieldName)

function withoutPlatform(line: OldRow, { fieldName }: LineError): OldRow {
  const [, family = ''] = PLATFORM_MEMBER.exec(fieldName) ?? []
  return Object.fromEntries(Object.entries(line).filter(([name]) => !name.startsWith(family)))
}

/** Groups of which the target has something else than was sent. */
export const differing = ({ groups }: Moved): string[] =>
  [...groups].flatMap(([group, { sent, imported, updated, kept, failed }]) =>
    imported === 0 && updated === 0 && kept === sent - failed ? [] : [group],
  )

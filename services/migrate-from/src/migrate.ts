// The whole command, from top to bottom.
import { isDatabase, type Command } from './command.ts'
import { openDatabase } from './database.ts'
import { openFolder } from './folder.ts'
import { formOf, missingSetting } from './form.ts'
import { KINDS } from './kinds.ts'
import { differing, moveKind } from './move.ts'
import { movedLines, settingLines, surveyLines } from './report.ts'
import type { Source } from './source.ts'
import { survey } from './survey.ts'
import { createTarget, type Target } from './target.ts'

/** Whether everything that can be moved is there, or clients get what they know. `print` gets what people read, a line at a time. */
export async function migrate(command: Command, print: (line: string) => void): Promise<boolean> {
  const { source: from, zone, check, target: base, key } = command
  const source = await (isDatabase(from) ? openDatabase(from, zone) : openFolder(from))
  try {
    if (check !== undefined) return await checkForm(source, { check, key }, print)
    const found = await survey(source)
    for (const line of [...settingLines(source.version, found), ...surveyLines(found)]) print(line)
    if (command.dryRun) return true
    return await move({ source, target: createTarget({ base, key }) }, print)
  } finally {
    await source.close()
  }
}

interface Ends {
  source: Source
  target: Target
}

async function move(ends: Ends, print: (line: string) => void): Promise<boolean> {
  let isComplete = true
  print('\nMoving:')
  for (const kind of KINDS) {
    const moved = await moveKind(ends, kind, { dryRun: false })
    for (const line of movedLines(moved)) print(line)
    if (moved.refusals.size > 0) isComplete = false
  }
  print('\nComparing, by sending the same lines again as a dry run:')
  for (const kind of KINDS) {
    const compared = await moveKind(ends, kind, { dryRun: true })
    for (const line of movedLines({ ...compared, refusals: new Map() })) print(line)
    for (const group of differing(compared)) {
      print(`  ${kind.name}${group === '' ? '' : ` (${group})`}: the target differs from the source`)
      isComplete = false
    }
  }
  print(isComplete ? '\nEverything that can be moved is there.' : '\nNot everything is there: see the lines above.')
  return isComplete
}

async function checkForm(
  { version }: Source,
  { check: base, key }: { check: string; key: string | undefined },
  print: (line: string) => void,
): Promise<boolean> {
  const missing = await missingSetting(createTarget({ base, key }), { version, base })
  print(
    missing === undefined
      ? `Responses at ${base} have the members of ${formOf(version)}, which clients know.`
      : `Responses at ${base} have members that clients do not know: set ${missing}`,
  )
  return missing === undefined
}

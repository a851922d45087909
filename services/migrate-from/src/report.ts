// What the command says, line by line. Pure.
import { REFERENCE_PROPERTIES, SETTINGS_BY_SUBJECT } from '@push-server/runtime'
import { settingsOf } from './form.ts'
import { isUndecided } from './kinds.ts'
import type { Moved } from './move.ts'
import { VERSION_NAMES, type SourceVersion } from './source.ts'
import type { Found } from './survey.ts'

const fallbacks = new Map(
  Object.values(SETTINGS_BY_SUBJECT).flatMap((group) => Object.values(group).map((each) => [each.name, each.fallback])),
)

/** Settings to decide about before the switch: that of development pushes first of all. */
export function settingLines(version: SourceVersion, found: readonly Found[]): string[] {
  const different = REFERENCE_PROPERTIES.filter(({ isDifferent }) => isDifferent)
  const { atRoot, belowPrefix } = settingsOf(version)
  return [
    `The source is of version ${VERSION_NAMES[version]}.`,
    '',
    'Settings whose defaults differ here; decide about each before the switch:',
    ...different.flatMap(({ setting = '', default: theirs, note = '' }) => [
      `  ${setting}: ${theirs || 'empty'} there, ${fallbacks.get(setting) ?? 'no value'} here (${note})`,
      ...(setting === 'APNS_USE_DEVELOPMENT' ? undecidedLines(found) : []),
    ]),
    '',
    'Members of responses that clients know:',
    `  ${atRoot} where clients call at the root`,
    `  ${belowPrefix ?? 'nothing'} where they call below a path such as /powerauth-push-server`,
  ]
}

function undecidedLines(found: readonly Found[]): string[] {
  const remarks = found.flatMap(({ remarks: some }) => [...some])
  const devices = remarks.reduce((sum, [remark, count]) => sum + (isUndecided(remark) ? count : 0), 0)
  return [`    It decides about ${devices} iOS devices: neither they nor their application have an environment.`]
}

export function surveyLines(found: readonly Found[]): string[] {
  return found.flatMap(({ kind, rows, groups, left, remarks }) => [
    '',
    `${kind.name}: ${rows} rows, ${[...groups.values()].reduce((sum, count) => sum + count, 0)} to be moved`,
    ...[...groups].filter(([group]) => group !== '').map(([group, count]) => `  ${group}: ${count}`),
    ...[...remarks].map(([remark, count]) => `  of these ${count} ${remark}`),
    ...[...left].map(([reason, count]) => `  not moved: ${count} ${reason}`),
  ])
}

export function movedLines({ kind, groups, refusals }: Moved): string[] {
  return [
    ...[...groups].map(
      ([group, { sent, imported, updated, kept, failed }]) =>
        `${kind.name}${group === '' ? '' : ` (${group})`}: ${sent} sent, ${imported} new, ${updated} changed, ${kept} kept, ${failed} refused`,
    ),
    ...[...refusals].map(
      ([reason, { count, examples }]) =>
        `  refused: ${count} × ${reason}${examples.length > 0 ? `, such as ${examples.join(', ')}` : ''}`,
    ),
  ]
}

// Writes docs/configuration.md from the list of settings, and the properties of the reference server into docs/migrating.md; with --check
// only says whether they are up to date.
import { readFile, writeFile } from 'node:fs/promises'
import { REFERENCE_PROPERTIES, SETTINGS_BY_SUBJECT, type ReferenceProperty } from '../packages/runtime/src/index.ts'

const FILE = new URL('../docs/configuration.md', import.meta.url)

const HEAD = `# Configuration

Every setting is an environment variable. A process reads all of them once, at its start, and checks them; it names all errors at once
and does not start with one. A name that is a misspelling of one of ours, or begins like one and is none, is an error too.

- A **duration** is a number with a unit: \`500ms\`, \`30s\`, \`5m\`, \`24h\`, \`7d\`.
- A **secret** may stand in a file instead: \`<NAME>_FILE\` names the file.
- An empty value is no value.
- A **former name** is read for one release, while the new name has no value, with a warning in the log.
- \`npm start\` makes what is not given: an embedded PostgreSQL and an encryption key below \`DATA_DIR\`, and a simulator in place of the
  providers.

<!-- Generated from packages/runtime/src/settings.ts by \`npm run docs\`. -->
`

type Row = (typeof SETTINGS_BY_SUBJECT)[string][string]

const TABLE = `
| name | what it does | format | default | required when | bounds |
| --- | --- | --- | --- | --- | --- |
`

function rowOf({ name, formerName, formerTimes, doc, format, secret, fallback, requiredWhen, bounds }: Row): string {
  const cells = [
    `\`${name}\``,
    [
      doc,
      formerName && `Former name: \`${formerName}\`.`,
      formerTimes > 1 && `A value under that name is taken ${formerTimes} times.`,
    ]
      .filter(Boolean)
      .join(' '),
    secret ? `${format}, secret` : format,
    fallback === undefined ? '' : fallback === '' ? 'empty' : `\`${fallback}\``,
    requiredWhen ?? '',
    bounds ? `\`${bounds.least}\` to \`${bounds.most}\`` : '',
  ]
  return `| ${cells.join(' | ')} |\n`
}

const sections = Object.entries(SETTINGS_BY_SUBJECT).map(
  ([subject, settings]) => `\n## ${subject}\n${TABLE}${Object.values(settings).map(rowOf).join('')}`,
)
const expected = HEAD + sections.join('')

const GUIDE = new URL('../docs/migrating.md', import.meta.url)
const MARKS = /(<!-- properties: .*? -->\n)[^]*?(<!-- end of properties -->)/

const fallbacks = new Map(
  Object.values(SETTINGS_BY_SUBJECT).flatMap((group) => Object.values(group).map((each) => [each.name, each.fallback])),
)

function propertyRow({ property, default: theirs, setting, note = '', isDifferent }: ReferenceProperty): string {
  const shown = (value: string | undefined) => (value ? `\`${value}\`` : value === '' ? 'empty' : 'none')
  const bold = (text: string) => (isDifferent ? `**${text}**` : text)
  const here = setting === undefined ? ['gone', ''] : [`\`${setting}\``, bold(shown(fallbacks.get(setting)))]
  return `| ${[`\`${property}\``, bold(shown(theirs)), ...here, note].join(' | ')} |\n`
}

const properties = `
| property | default there | setting here | default here | what to know |
| --- | --- | --- | --- | --- |
${REFERENCE_PROPERTIES.map(propertyRow).join('')}
`

const guide = await readFile(GUIDE, 'utf8')
const DOCUMENTS = [
  { file: FILE, name: 'docs/configuration.md', text: expected },
  {
    file: GUIDE,
    name: 'docs/migrating.md',
    text: guide.replace(MARKS, (_, begin: string, end: string) => begin + properties + end),
  },
]

for (const { file, name, text } of DOCUMENTS) {
  if (!process.argv.includes('--check')) await writeFile(file, text)
  else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
    process.stderr.write(`${name} is not what the settings say: run \`npm run docs\`\n`)
    process.exitCode = 1
  }
}

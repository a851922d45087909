// Writes docs/configuration.md from the list of settings; with --check only says whether it is up to date.
import { readFile, writeFile } from 'node:fs/promises'
import { SETTINGS_BY_SUBJECT } from '../packages/runtime/src/index.ts'

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

if (!process.argv.includes('--check')) await writeFile(FILE, expected)
else if ((await readFile(FILE, 'utf8').catch(() => '')) !== expected) {
  process.stderr.write('docs/configuration.md is not what the settings say: run `npm run docs`\n')
  process.exitCode = 1
}

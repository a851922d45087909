// Writes docs/configuration.md from the list of settings; with --check only says whether it is up to date.
import { readFile, writeFile } from 'node:fs/promises'
import { SETTINGS } from '../packages/runtime/src/index.ts'

const FILE = new URL('../docs/configuration.md', import.meta.url)

const HEAD = `# Configuration

Every setting is an environment variable, read once at the start and checked; all faults are told at once. Unknown names that
begin like one of ours stop the start. A secret may stand in a file instead: \`<NAME>_FILE\` names it. Durations take a unit: \`500ms\`, \`30s\`, \`5m\`, \`24h\`, \`7d\`.

\`npm start\` makes what is not given: an embedded PostgreSQL and an encryption key below \`DATA_DIR\`, and a simulator in place of
the providers. Services that are started one by one want \`DATABASE_URL\` and \`ENCRYPTION_KEY\`.

<!-- Generated from packages/runtime/src/settings.ts by \`npm run docs\`. -->

| name | form | default | meaning |
| --- | --- | --- | --- |
`

const rows = Object.values(SETTINGS).map(({ name, format, fallback, secret, doc }) => {
  const shown = fallback === undefined ? '' : fallback === '' ? 'empty' : `\`${fallback}\``
  return `| \`${name}\` | ${format} | ${shown} | ${doc}${secret ? ' Secret.' : ''} |`
})
const expected = `${HEAD}${rows.join('\n')}\n`

if (!process.argv.includes('--check')) await writeFile(FILE, expected)
else if ((await readFile(FILE, 'utf8').catch(() => '')) !== expected) {
  process.stderr.write('docs/configuration.md is not what the settings say: run `npm run docs`\n')
  process.exitCode = 1
}

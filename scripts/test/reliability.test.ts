// The tests that docs/reliability.md and docs/security.md name: a promise whose proof was renamed or removed would stand there unproved.
import { readFileSync } from 'node:fs'
import t from 'tap'

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')

/** `file.test.ts` “title”, “another of the same file”. */
const PROOF = /`([\w./-]+\.test\.ts)`((?:,? “[^”]+”)+)/g

function* proofsOf(text: string): Generator<{ file: string; title: string }> {
  for (const [, file = '', titles = ''] of text.matchAll(PROOF))
    for (const [, title = ''] of titles.matchAll(/“([^”]+)”/g)) yield { file, title }
}

/** Log lines and metrics that the runbook sends people to. */
function namesOf(text: string): string[] {
  const [, runbook = ''] = text.split('\n## Runbook\n')
  return [...runbook.matchAll(/`(push_[a-z_]+)`/g)].map(([, name = '']) => name)
}

const text = read('docs/reliability.md')

t.test('every promise names a test that exists', async (t) => {
  for (const [document, atLeast] of [
    ['docs/reliability.md', 15],
    ['docs/security.md', 7],
  ] as const) {
    const promises = read(document)
    const proofs = [...proofsOf(promises)]
    const rows = promises.split('\n').filter((line) => /^\| .*\.test\.ts`/.test(line))
    t.ok(rows.length >= atLeast, `${rows.length} promises in ${document}`)
    t.ok(proofs.length >= rows.length, `${proofs.length} proofs`)
    for (const { file, title } of proofs) t.ok(read(file).includes(title), `${file}: ${title}`)
  }
})

t.test('every metric of the runbook exists', async (t) => {
  const metrics = ['metrics', 'waiting-gauges', 'request-times']
    .map((name) => read(`packages/runtime/src/${name}.ts`))
    .join('')
  const names = new Set(namesOf(text))
  t.ok(names.size >= 10, `${names.size} metrics`)
  for (const name of names) t.ok(metrics.includes(`'${name}'`), name)
})

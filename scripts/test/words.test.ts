// The check of words, on names and sentences made up for each of its rules.
import t from 'tap'
import { exceptionOf, inDocument, inModule, inScripts } from '../checks/words.ts'
import { tokensOf } from '../checks/tokens.ts'

const FILE = 'packages/domain/src/messages/accept.ts'

/** Words that are refused in a module. */
function refusedIn(source: string, file = FILE): string[] {
  return inModule(file, source)
    .filter((finding) => !exceptionOf(finding))
    .map(({ word }) => word)
}

const refused: [source: string, words: string[], file?: string][] = [
  ['const tokenGuard = 1', ['guard']],
  ['const MAX_TRIES = 1', ['tries']],
  ['class FaultOf {}', ['fault']],
  ['#answers = 1', ['answers']],
  ['type A = { pacedUntil: number }', ['paced']],
  ['a?.wanted.b', ['wanted']],
  ['const repeatOf = 1', ['repeat']],
  ['const round = 1', ['round']],
  ['const HTTPWindow = 1', ['window']],
  ['`${ faultOf({ a: 1 }) } and ${ guard }`', ['fault', 'guard']],
  ['// The guard counts.', ['guard']],
  ['/** At its own pace. */', ['pace']],
  ["throw new Error('a fault')", ['fault']],
  ['const text = `a look-alike`', ['look-alike']],
  ['// The next try is the last of its tries.', ['try', 'tries']],
  ["log.warn({ err, at: 'a window' }, 'the window is full')", ['window']],
  ["this.#log.error('no answer')", ['answer']],
  ["text('HOST', 'What is asked.')", ['asked'], 'packages/runtime/src/settings.ts'],
  ["text('APNS_PACE', '…')", ['pace'], 'packages/runtime/src/settings/providers.ts'],
  ['', ['guard'], 'packages/domain/src/token-guard.ts'],
  ['', ['door'], 'packages/domain/src/door/index.ts'],
]

const allowed: [source: string, file?: string][] = [
  ['try { a() } catch {}'],
  ['const { try: attempt } = job'],
  ["'─'.repeat(3) + INDENT.repeat(2) + Math.round(1.5)"],
  ['const roundTripMs = 1'],
  ['const platform = transform(execute(lookup, conform))'],
  ['const body = { guardTripped: true }'],
  ['const flowControlWindow = 1', 'packages/http2/src/session.ts'],
  ['const APNS_WINDOW = 1'],
  ["count('APNS_CONCURRENCY', { former: 'APNS_WINDOW' })", 'packages/runtime/src/settings/providers.ts'],
  ['for (const round of rounds) a(round)', 'bench/src/table.ts'],
  ['const again = await send()', 'services/api-gateway/test/a.test.ts'],
  ['const pattern = /fault|guard"/g'],
  ["const sql = 'SELECT try, paced_until FROM token_guards'"],
  ['// The worker tries again, and has to try harder. Its `guard` is a member. It answers in a round form.'],
  ["log.info('recording failed, trying again')"],
  ["text('HOST', 'How often it tries again.')", 'packages/runtime/src/settings.ts'],
]

t.test('what is refused', async (t) => {
  for (const [source, words, file] of refused) t.same(refusedIn(source, file), words, `${source} ${file ?? ''}`)
})

t.test('what passes', async (t) => {
  for (const [source, file] of allowed) t.same(refusedIn(source, file), [], source)
})

t.test('documents are prose, but for what stands in code', async (t) => {
  const text = ['# A guard', '', '`guard` is a `fault`.', '```', 'a fault', '```', 'Each try,', 'a fault'].join('\n')
  t.match(inDocument('README.md', text), [
    { word: 'fault', line: 8 },
    { word: 'guard', line: 1 },
    { word: 'try', line: 7 },
  ])
})

t.test('names of scripts', async (t) => {
  t.match(inScripts('{"scripts":{"bench:pace":"node pace.ts","bench:limit":"node"}}'), [{ word: 'pace' }])
})

t.test('the line and the replacement are told', async (t) => {
  t.match(inModule(FILE, '\n\n/* one\n two guard */\nconst a = `\n\n${guard}`'), [
    { file: FILE, line: 4, instead: 'circuit breaker', name: 'prose' },
    { file: FILE, line: 7, name: 'guard' },
  ])
})

t.test('a module is cut where its parts end', async (t) => {
  const texts = (source: string) => tokensOf(source).map(({ kind, text }) => `${kind[0]} ${text}`)
  t.same(texts("a = b / c / 'd'"), ['n a', 's =', 'n b', 's /', 'n c', 's /', "t 'd'"])
  t.same(texts(String.raw`return /[/'"]\/x/g.test(a)`).slice(0, 2), ['n return', String.raw`s /[/'"]\/x/g`])
  t.same(
    texts('`a ${ { b: `c${d}` } } e`').filter((token) => token.startsWith('t')),
    ['t `a ${', 't `c${', 't }`', 't } e`'],
  )
  t.same(texts(String.raw`'it\'s' // 'not'`), [String.raw`t 'it\'s'`, "c // 'not'"])
})

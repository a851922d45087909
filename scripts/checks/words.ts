// The vocabulary: words that this project does not use, because another word stands for the same thing or because they stood
// for several. All of them are refused in names (identifiers, files, settings, scripts) and in log messages, in prose only those
// that are never meant otherwise. words-exceptions.ts says where a word may stand all the same, and why.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { tokensOf, type Token } from './tokens.ts'
import { EXCEPTIONS, type Exception } from './words-exceptions.ts'

/** What to write instead, for words in names. */
const IN_NAMES = wordsBy({
  'request or response': 'question questions answer answers answered unanswered asked told',
  'error or failure': 'fault faults faulty',
  'required or optional': 'wanted',
  format: 'form forms',
  'poll, refresh or notify': 'look looks tell tells knock knocks',
  attempt: 'try tries sends',
  'attempt, pass or round trip': 'round rounds',
  'retry policy': 'disposal disposals again',
  'circuit breaker': 'guard guards guarded',
  'concurrency limit or rate': 'pace paces paced pacing',
  'concurrency limit': 'window windows flow flows turn turns',
  'idempotent replay': 'repeat repeats repeated',
  fake: 'lookalike lookalikes',
  'startup check': 'door doors',
  'fan out': 'cut cuts cutting',
})

/** The same for prose. A `try` is refused where it is a noun: "one tries again" may be said. */
const IN_PROSE: readonly [instead: string, RegExp][] = [
  ['error or failure', /\b(?:faults?|faulty)\b/gi],
  ['circuit breaker', /\bguard(?:s|ed|ing)?\b/gi],
  ['concurrency limit or rate', /\bpac(?:e|es|ed|ing)\b/gi],
  ['fake', /\blook-?alikes?\b/gi],
  ['notify', /\bknock(?:s|ed|ing)?\b/gi],
  ['startup check', /\bdoors?\b/gi],
  ['attempt', /(?<=\b(?:a|the|one|each|every|next|first|last|second|no|another|this|its|per) )try\b(?!-)/gi],
  ['attempts', /(?<=\b(?:the|all|its|of|no|\d+|two|three|more|many|few|between|these|their|after) )tries\b/gi],
]

const SOURCES = [
  '{packages,services}/*/{src,test}/**/*.ts',
  'bench/{src,test}/**/*.ts',
  'scripts/**/*.{ts,mjs,mts}',
  'services/*.mjs',
  '*.ts',
]
const DOCUMENTS = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'docs/*.md']
/** Generated, or full of the words that are looked for. */
const NOT_READ = ['packages/store/src/generated/**', 'scripts/checks/words*.ts', 'scripts/test/words.test.ts']
/** Their texts are names and descriptions of settings. */
const SETTINGS = /^packages\/runtime\/src\/(?:settings\/|[\w-]*settings\.ts$)/

/** Keywords of the language, which nobody chose. */
const KEYWORDS = new Set(['try'])
const LOG_LEVELS = new Set(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])

/** A part of a name: `tokenGuards`, `TOKEN_GUARDS` and `token-guards` have two. */
const PART = /\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+/gu
const DEPTH: Readonly<Record<string, number>> = { '(': 1, '{': 1, '[': 1, ')': -1, '}': -1, ']': -1 }

export interface Finding {
  /** Relative to the root. */
  file: string
  /** The first is 1; 0 stands for the file's own name. */
  line: number
  word: string
  instead: string
  /** The whole name, `text` in a sentence of a log message or of a setting, else `prose`. */
  name: string
}

/** One line for each word in a name or in a line of prose, and for each exception that excuses nothing. */
export function findWords(root: string): string[] {
  const found = [
    ...globSync(SOURCES, { cwd: root, exclude: NOT_READ }).flatMap((file) => inModule(file, read(root, file))),
    ...globSync(DOCUMENTS, { cwd: root }).flatMap((file) => inDocument(file, read(root, file))),
    ...inScripts(read(root, 'package.json')),
  ]
  const used = new Set<Exception>()
  const refused = found.filter((finding) => {
    const exception = exceptionOf(finding)
    if (exception) used.add(exception)
    return !exception
  })
  const idle = EXCEPTIONS.filter((exception) => !used.has(exception))
  return [
    ...new Set(refused.map(lineOf)),
    ...idle.map(({ reason }) => `words-exceptions.ts: excuses nothing any more: ${reason}`),
  ]
}

export function exceptionOf({ file, word, name }: Finding): Exception | undefined {
  return EXCEPTIONS.find(
    ({ words, names, places = [''] }) =>
      words.includes(word) && places.some((place) => isIn(file, place)) && (!names || names.test(name)),
  )
}

/** Words in a module's file name, identifiers, log messages, comments and texts. Pure. */
export function inModule(file: string, source: string): Finding[] {
  const tokens = tokensOf(source)
  const logMessages = new Set(tokens.flatMap((_, at) => logMessageAt(tokens, at)))
  const inToken = (token: Token, at: number) => {
    if (token.kind === 'name') return KEYWORDS.has(token.text) ? [] : inName(token.text, qualified(tokens, at))
    if (token.kind === 'sign') return []
    if (token.kind === 'comment') return inProse(withoutCode(token.text))
    const isNaming = logMessages.has(token) || SETTINGS.test(file)
    return isNaming ? [...inName(token.text, nameIn(token.text)), ...inProse(token.text)] : inProse(token.text)
  }
  return [
    ...inName(file).map((match) => ({ ...match, file, line: 0 })),
    ...tokens.flatMap((token, at) =>
      inToken(token, at).map(({ offset, ...match }) => ({
        ...match,
        file,
        line: token.line + linesTo(token.text, offset),
      })),
    ),
  ]
}

/** Words in the prose of a document; what stands in code is named after something elsewhere. Pure. */
export function inDocument(file: string, text: string): Finding[] {
  return inProse(withoutCode(text)).map(({ offset, ...match }) => ({ ...match, file, line: 1 + linesTo(text, offset) }))
}

/** Words in the names of the scripts of package.json. Pure. */
export function inScripts(manifest: string): Finding[] {
  const { scripts = {} } = JSON.parse(manifest) as { scripts?: Record<string, string> }
  return Object.keys(scripts).flatMap((script) =>
    inName(script).map(({ offset: _, ...match }) => ({ ...match, file: 'package.json', line: 0 })),
  )
}

/** Of the same length and with the same lines. */
function withoutCode(text: string): string {
  return text.replaceAll(/^```[^]*?^```|`[^`\n]*`/gm, (code) => code.replaceAll(/[^\n]/g, ' '))
}

interface Match {
  word: string
  instead: string
  name: string
  offset: number
}

function inName(text: string, name = text): Match[] {
  return [...text.matchAll(PART)].flatMap(({ 0: part, index }) => {
    const word = part.toLowerCase()
    const instead = IN_NAMES.get(word)
    return instead === undefined ? [] : [{ word, instead, name, offset: index }]
  })
}

function inProse(text: string): Match[] {
  return IN_PROSE.flatMap(([instead, pattern]) =>
    [...text.matchAll(pattern)].map(({ 0: word, index }) => ({
      word: word.toLowerCase(),
      instead,
      name: 'prose',
      offset: index,
    })),
  )
}

/** A text that is a name, as of a setting, stands for itself. */
function nameIn(text: string): string {
  return /^['"](\w+)['"]$/.exec(text)?.[1] ?? 'text'
}

/** With what it is a member of, as in `Math.round`; `.repeat` when that has no name. */
function qualified(tokens: readonly Token[], at: number): string {
  const name = tokens[at]?.text ?? ''
  if (tokens[at - 1]?.text !== '.') return name
  const owner = tokens[at - 2]
  return `${owner?.kind === 'name' ? owner.text : ''}.${name}`
}

/** The texts among the arguments of a call such as `log.info({ … }, 'message')`; none where no call begins. */
function logMessageAt(tokens: readonly Token[], at: number): Token[] {
  const [log, dot, level, opening] = tokens.slice(at, at + 4)
  if (!log || !/^#?(?:log|logger)$/.test(log.text) || dot?.text !== '.' || opening?.text !== '(') return []
  if (!LOG_LEVELS.has(level?.text ?? '')) return []
  const messages: Token[] = []
  let depth = 0
  for (const token of tokens.slice(at + 3)) {
    if (token.kind === 'sign') depth += DEPTH[token.text] ?? 0
    if (depth === 0) break
    if (depth === 1 && token.kind === 'text') messages.push(token)
  }
  return messages
}

function isIn(file: string, place: string): boolean {
  return place.startsWith('/') ? file.includes(place) : file.startsWith(place)
}

function linesTo(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length - 1
}

function lineOf({ file, line, word, instead, name }: Finding): string {
  const isName = name !== 'prose' && name !== 'text'
  return `${line > 0 ? `${file}:${line}` : file}: "${word}"${isName ? ` in ${name}` : ''}, write ${instead}`
}

function wordsBy(groups: Readonly<Record<string, string>>): Map<string, string> {
  return new Map(Object.entries(groups).flatMap(([instead, words]) => words.split(' ').map((word) => [word, instead])))
}

function read(root: string, file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

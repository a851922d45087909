// Cuts a module into names, texts, comments and signs, for checks that read words. It knows no grammar: whether a slash opens
// a regular expression is decided by what stands before it, which is right wherever `npm run format` has been.

export interface Token {
  kind: 'name' | 'text' | 'comment' | 'sign'
  text: string
  /** Where it begins; the first is 1. */
  line: number
}

const SPACE = /\s+/y
const COMMENT = /\/\/.*|\/\*[^]*?\*\//y
const NAME = /#?[\p{ID_Start}$_][\p{ID_Continue}$]*/uy
const QUOTED = /'(?:[^'\\\n]|\\[^])*'|"(?:[^"\\\n]|\\[^])*"/y
const REGULAR_EXPRESSION = /\/(?:[^\\/[\n]|\\.|\[(?:[^\\\]\n]|\\.)*\])+\/[a-z]*/y
const NUMBER = /\d[\w.]*/y
/** From its opening, or from the brace that closes an expression in it, to its end or the next expression. */
const TEMPLATE = /[`}](?:[^`\\$]|\\[^]|\$(?!\{))*(?:`|\$\{)/y
const SIGN = /[^]/y

/** Before a slash they mean that it opens a regular expression, though they look like names. */
const OPERATORS = new Set(['return', 'typeof', 'case', 'in', 'of', 'await', 'yield', 'throw'])

/** Names include keywords and members of objects; a template is a text for each of its parts. Pure. */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = []
  /** Of each template that is open here, how many braces are open in its expression. */
  const templates: number[] = []
  let at = 0
  let line = 1
  const match = (pattern: RegExp) => {
    pattern.lastIndex = at
    return pattern.exec(source)?.[0]
  }
  while (at < source.length) {
    const text = next()
    at += text.length
    line += text.split('\n').length - 1
  }
  return tokens

  function next(): string {
    const space = match(SPACE)
    if (space) return space
    const [kind, text] = read()
    tokens.push({ kind, text, line })
    return text
  }

  function read(): [Token['kind'], string] {
    const comment = match(COMMENT)
    if (comment) return ['comment', comment]
    const name = match(NAME)
    if (name) return ['name', name]
    const text = match(QUOTED) ?? template()
    if (text) return ['text', text]
    return ['sign', (opensExpression(tokens) && match(REGULAR_EXPRESSION)) || match(NUMBER) || sign()]
  }

  function template(): string | undefined {
    const continues = source[at] === '}' && templates.at(-1) === 0
    if (source[at] !== '`' && !continues) return undefined
    if (continues) templates.pop()
    const text = match(TEMPLATE)
    if (text?.endsWith('${')) templates.push(0)
    return text
  }

  function sign(): string {
    const text = match(SIGN) ?? ''
    const last = templates.length - 1
    const step = { '{': 1, '}': -1 }[text]
    if (step && last >= 0) templates[last] = (templates[last] ?? 0) + step
    return text
  }
}

function opensExpression(before: readonly Token[]): boolean {
  const last = before.findLast(({ kind }) => kind !== 'comment')
  if (last?.kind === 'name') return OPERATORS.has(last.text)
  return last?.kind !== 'text' && !/[\w)\]]$/.test(last?.text ?? '')
}

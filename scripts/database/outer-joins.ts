// Which tables of a statement may stand on the side of an outer join that is filled with nulls. Read from its text, so it
// errs on one side only: a table that is named there is in doubt wherever it stands.

const WITHOUT_MEANING = /'(?:[^']|'')*'|--[^\n]*/g
/** Nulls from these may be in any column. */
const ANYWHERE = /\b(?:(?:RIGHT|FULL)\s+(?:OUTER\s+)?JOIN|GROUPING\s+SETS|ROLLUP|CUBE)\b/i
const LEFT_JOIN = /\bLEFT\s+(?:OUTER\s+)?JOIN\s+(?:LATERAL\s+)?/gi
const NAMED_QUERY = /\b(\w+)\s*(?:\([^()]*\))?\s+AS\s+(?:(?:NOT\s+)?MATERIALIZED\s+)?\(/gi

/** `isInDoubt` of a table's name. Pure. */
export function outerJoinsOf(sql: string): (table: string) => boolean {
  const text = sql.replaceAll(WITHOUT_MEANING, "''")
  if (ANYWHERE.test(text)) return () => true
  const inDoubt = new Set<string>()
  for (const { index, 0: keyword } of text.matchAll(LEFT_JOIN)) {
    const joined = operandAt(text, index + keyword.length)
    // `a LEFT JOIN b JOIN c ON … ON …`: more than b may be missing.
    if (/^[^()]*?\b(ON|USING|JOIN)\b/i.exec(joined.rest)?.[1]?.toUpperCase() === 'JOIN') return () => true
    addWords(inDoubt, joined.operand)
  }
  addNamedQueries(inDoubt, text)
  return (table) => inDoubt.has(table.toLowerCase())
}

/** A name, or what stands in parentheses. */
function operandAt(text: string, start: number): { operand: string; rest: string } {
  const end =
    text[start] === '(' ? closingAfter(text, start) : start + (/^[\w."]+/.exec(text.slice(start))?.[0].length ?? 0)
  return { operand: text.slice(start, end), rest: text.slice(end) }
}

/** Past the parenthesis that closes the one at `start`. */
function closingAfter(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    if (text[at] === '(') depth++
    else if (text[at] === ')' && --depth === 0) return at + 1
  }
  return text.length
}

function addWords(words: Set<string>, text: string): void {
  for (const [word] of text.matchAll(/\w+/g)) words.add(word.toLowerCase())
}

/** A named query that is in doubt brings what it reads. */
function addNamedQueries(inDoubt: Set<string>, text: string): void {
  const queries = Array.from(text.matchAll(NAMED_QUERY), ({ index, 0: head, 1: name = '' }) => {
    const start = index + head.length - 1
    return { name: name.toLowerCase(), body: text.slice(start, closingAfter(text, start)) }
  })
  for (let size = -1; size !== inDoubt.size;) {
    size = inDoubt.size
    for (const { name, body } of queries) if (inDoubt.has(name)) addWords(inDoubt, body)
  }
}

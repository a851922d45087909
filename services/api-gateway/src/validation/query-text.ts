// Whether a query can be read as text. The parser takes what it cannot decode as it stands, so that `%E9` and `%25E9` would be
// one value. Pure.
import type { Violation } from '@push-server/contract'

const HINT = 'must be UTF-8, properly percent-encoded'

/** The first parameter that cannot be decoded; `url` is the target of the request as it came. */
export function undecodable(url: string): Violation | undefined {
  const start = url.search(/[?#]/)
  const query = start === -1 ? '' : url.slice(start + 1)
  // Node gives bytes beyond ASCII as Latin-1, whatever they were.
  if (!/[%\u0080-\uffff]/.test(query)) return undefined
  for (const pair of query.split('&')) {
    const [name = '', ...value] = pair.split('=')
    if (!isDecodable(name)) return { fieldName: 'query', hint: HINT }
    if (!isDecodable(value.join('='))) return { fieldName: decodeURIComponent(name) || 'query', hint: HINT }
  }
  return undefined
}

function isDecodable(text: string): boolean {
  if (/[\u0080-\uffff]/.test(text)) return false
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

// The bases of the API: every path is served under the root, and under the prefix that installations of the reference server have.
import type { IncomingMessage } from 'node:http'

/** Where a request came in, without a slash at the end; empty for the root. */
const bases = new WeakMap<IncomingMessage, string>()

export const baseOf = (request: IncomingMessage): string => bases.get(request) ?? ''

/** A proxy that strips the prefix may say so; whoever believes it calls this. */
export const setBase = (request: IncomingMessage, base: string): void => void bases.set(request, base)

/** The target of a request may be a whole URL: RFC 9112, 3.2.2. */
const TARGET = /^(?:https?:\/\/[^/?#]*)?/i

/**
 * Strips the prefix before anything is routed. Only the prefix itself counts, letter for letter: neither `/prefixfoo` nor one with
 * encoded slashes. `contextPath`: such as `/powerauth-push-server`; `/` for none.
 */
export function stripBase(contextPath: string): (request: IncomingMessage) => string {
  const prefix = contextPath.replace(/\/+$/, '')
  return (request) => {
    const url = request.url ?? '/'
    if (prefix === '') return url
    const [origin = ''] = TARGET.exec(url) ?? []
    const path = url.slice(origin.length)
    if (!path.startsWith(prefix) || !/^(?:[/?#]|$)/.test(path.slice(prefix.length))) return url
    setBase(request, prefix)
    const rest = path.slice(prefix.length)
    return origin + (rest.startsWith('/') ? rest : `/${rest}`)
  }
}

/** The last segment of a prefix that came without a slash: links of a page there would lead beside it. */
export function barePrefix(originalUrl: string, base: string): string | undefined {
  const [path = ''] = originalUrl.replace(TARGET, '').split(/[?#]/)
  return base !== '' && path === base ? base.slice(base.lastIndexOf('/') + 1) : undefined
}

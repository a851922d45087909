// The bases of the API: every path is served under the root, under the prefix that installations of the reference server have, and under
// the prefix that a trusted proxy names.
import type { IncomingMessage } from 'node:http'
import { compile } from '@fastify/proxy-addr'
import { ConfigError, type Config } from '@push-server/runtime'

interface Base {
  /** As the client called it, without a slash at the end. */
  path: string
  /** The last segment of a prefix that came without a slash: links of a page there would lead beside it. */
  bare: string | undefined
}

/** Requests under the root have none. */
const bases = new WeakMap<IncomingMessage, Base>()

/** Where a request came in, without a slash at the end; empty for the root. */
export const baseOf = (request: IncomingMessage): string => bases.get(request)?.path ?? ''

export const bareSegmentOf = (request: IncomingMessage): string | undefined => bases.get(request)?.bare

/** The target of a request may be a whole URL: RFC 9112, 3.2.2. */
const TARGET = /^(?:https?:\/\/[^/?#]*)?/i
const LONGEST_PREFIX = 256
/** Slashes and what RFC 3986 calls unreserved. It is written into pages and redirects. */
const CLEAN_PREFIX = /^(?:\/[A-Za-z0-9._~-]+)+\/?$/

/** Of the header's value, without a slash at the end. Anything but a clean one is ignored, and so means the root. Pure. */
export function forwardedPrefix(value: string | string[] | undefined): string {
  if (typeof value !== 'string' || value.length > LONGEST_PREFIX || !CLEAN_PREFIX.test(value)) return ''
  const segments = value.split('/')
  return segments.includes('.') || segments.includes('..') ? '' : value.replace(/\/$/, '')
}

/** What stands behind the prefix, letter for letter: neither of `/prefixfoo` nor of one with encoded slashes. Pure. */
function behind(prefix: string, path: string): string | undefined {
  if (prefix === '' || !path.startsWith(prefix)) return undefined
  const rest = path.slice(prefix.length)
  return /^(?:[/?#]|$)/.test(rest) ? rest : undefined
}

const firstSegment = (path: string) => path.split('/', 2)[1] ?? ''

export interface Bases {
  /** Finds the base of a request before anything is routed. Returns its target without the base. */
  strip(request: IncomingMessage): string
  /** A path of ours. Throws a ConfigError when the own prefix begins as it does: behind it they could not be distinguished. */
  know(route: string): void
}

export function openBases({ contextPath, trustProxy }: Pick<Config, 'contextPath' | 'trustProxy'>): Bases {
  const ownPrefix = contextPath.replace(/\/+$/, '')
  const isTrusted = trustProxy ? compile(trustProxy) : undefined
  const firstSegments = new Set<string>()

  function forwarded({ headers, socket }: IncomingMessage): string {
    const value = headers['x-forwarded-prefix']
    return value !== undefined && isTrusted?.(socket.remoteAddress ?? '', 0) ? forwardedPrefix(value) : ''
  }

  return {
    strip(request) {
      const url = request.url ?? '/'
      const prefix = forwarded(request)
      // Most requests, at no further cost.
      if (prefix === '' && (ownPrefix === '' || !url.includes(ownPrefix))) return url
      const [origin = ''] = TARGET.exec(url) ?? []
      let path = url.slice(origin.length)
      const base: Base = { path: prefix, bare: undefined }
      const strip = (stripped: string, rest: string) => {
        path = rest.startsWith('/') ? rest : `/${rest}`
        base.bare = rest.startsWith('/') ? undefined : stripped.slice(stripped.lastIndexOf('/') + 1)
      }
      // The proxy may have stripped it. One that begins as our paths do always was.
      const behindForwarded = firstSegments.has(firstSegment(prefix)) ? undefined : behind(prefix, path)
      if (behindForwarded !== undefined) strip(prefix, behindForwarded)
      const behindOwn = behind(ownPrefix, path)
      if (behindOwn !== undefined) {
        strip(ownPrefix, behindOwn)
        base.path += ownPrefix
      }
      if (base.path === '') return url
      bases.set(request, base)
      return origin + path
    },
    know(route) {
      const segment = firstSegment(route)
      if (segment !== '' && segment === firstSegment(ownPrefix))
        throw new ConfigError(`CONTEXT_PATH: paths of the API begin with /${segment} themselves. Give another prefix.`)
      firstSegments.add(segment)
    },
  }
}

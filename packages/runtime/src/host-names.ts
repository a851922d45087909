// The name in a Host header, and which names lead to this machine alone. Pure.
import { BlockList, isIP } from 'node:net'

/** Name or address, and a port or none: RFC 9110, 7.2. */
const HOST = /^(\[[0-9a-f:.]+\]|[\w.~!$&'()*+,;=%-]+)(?::\d*)?$/i

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

export const isHost = (header: string) => HOST.test(header)

/** Without brackets and port, in lower case, without the full stop that may end a name; undefined when it is no Host. */
export function hostNameOf(host: string): string | undefined {
  const [, name] = HOST.exec(host) ?? []
  return name && name.toLowerCase().replace(/^\[|\]$|\.$/g, '')
}

/** Of a name as `hostNameOf` returns it, or of HOST. Names that a resolver decides on are not among them. */
export function isLoopback(name: string): boolean {
  const version = isIP(name)
  if (version === 0) return /^localhost\.?$/i.test(name)
  return LOOPBACK.check(name, version === 6 ? 'ipv6' : 'ipv4')
}

/**
 * Whether a Host header names this machine, or a name in `allowed`. A page of another site can lead its own name to a loopback
 * address (DNS rebinding) and is then of the same origin as what listens there; its name is what gives it away.
 */
export function isLocalHost(host: string | undefined, allowed: readonly string[]): boolean {
  const name = host === undefined ? undefined : hostNameOf(host)
  return name !== undefined && (isLoopback(name) || allowed.includes(name))
}

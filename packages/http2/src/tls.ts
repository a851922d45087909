// How certificates are verified, for every connection to a provider: always, by the built-in authorities and any that a setting adds.
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import type { Http2Options } from './client.ts'

/** Options of a TLS socket. */
export interface VerifyingTls {
  rejectUnauthorized: true
  /** Absent: Node's own, which all connections then share. */
  secureContext?: SecureContext
}

/** Throws for certificates that are not PEM. */
export function verifyingTls(ca: Http2Options['ca']): VerifyingTls {
  // Always set, because NODE_TLS_REJECT_UNAUTHORIZED=0 would turn it off otherwise.
  const rejectUnauthorized = true
  if (ca === undefined) return { rejectUnauthorized }
  // A custom `ca` replaces the built-in ones, so it is added to them; once, since each connection would read them anew.
  const trusted = [...getCACertificates('default'), ...[ca].flat()]
  return { rejectUnauthorized, secureContext: createSecureContext({ ca: trusted }) }
}

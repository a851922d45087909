// From an origin to a TLS socket that has agreed on h2, through a proxy or straight. Certificates are always verified.
import { once } from 'node:events'
import { isIP, type Socket } from 'node:net'
import { connect, createSecureContext, getCACertificates, type SecureContext, type TLSSocket } from 'node:tls'
import type { Http2Options, Proxy } from './client.ts'
import { openTunnel } from './proxy.ts'

export interface Target {
  origin: URL
  /** Undefined leaves Node's own, which all clients then share. */
  secureContext: SecureContext | undefined
  proxy: Proxy | undefined
  /** What the origin gave to resume by: the next handshake saves a round of certificates. */
  resumption: Buffer | undefined
}

/** Throws for an origin that is not https, and for certificates that are not PEM. */
export function targetOf({ origin, ca, proxy }: Http2Options): Target {
  const url = new URL(origin)
  if (url.protocol !== 'https:') throw new TypeError(`not an https origin: ${origin}`)
  // A `ca` of one's own replaces the built-in ones, so these are named beside it.
  const trusted = ca === undefined ? [] : [...getCACertificates('default'), ...[ca].flat()]
  const secureContext = ca === undefined ? undefined : createSecureContext({ ca: trusted })
  return { origin: url, secureContext, proxy, resumption: undefined }
}

/** Rejects with what stood in the way; `signal` ends the attempt at any stage. */
export async function dial(target: Target, signal: AbortSignal): Promise<TLSSocket> {
  const { origin, secureContext, proxy, resumption } = target
  const host = origin.hostname.replace(/^\[|\]$/g, '')
  const port = Number(origin.port) || 443
  const tunnel = proxy && (await openTunnel(proxy, `${origin.hostname}:${port}`, signal))
  const socket = connect({
    host,
    port,
    ...(tunnel && { socket: tunnel }),
    ...(!isIP(host) && { servername: host }),
    ...(secureContext && { secureContext }),
    ...(resumption && { session: resumption }),
    ALPNProtocols: ['h2'],
    // Said aloud, because NODE_TLS_REJECT_UNAUTHORIZED=0 would turn it off otherwise.
    rejectUnauthorized: true,
  })
  socket.on('session', (session: Buffer) => (target.resumption = session))
  // Requests under way keep the process alive (pool.ts), not connections.
  socket.unref()
  try {
    await once(socket, 'secureConnect', { signal })
    if (socket.alpnProtocol !== 'h2') throw new Error('the origin does not speak HTTP/2')
  } catch (error) {
    target.resumption = undefined
    abandon(socket, tunnel)
    throw error
  }
  return socket.setNoDelay(true)
}

function abandon(socket: TLSSocket, tunnel: Socket | undefined) {
  // A handshake that has already failed may report so once more.
  socket.on('error', () => {})
  socket.destroy()
  tunnel?.destroy()
}

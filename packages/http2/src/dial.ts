// Opens a TLS socket that has agreed on h2, through a proxy or directly. Certificates are always verified.
import { once } from 'node:events'
import { isIP, type Socket } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import type { Http2Options, Proxy } from './client.ts'
import { openTunnel } from './proxy.ts'
import { verifyingTls, type VerifyingTls } from './tls.ts'

export interface Target {
  origin: URL
  tls: VerifyingTls
  proxy: Proxy | undefined
  /** The TLS session to resume: the next handshake needs no certificates. */
  resumption: Buffer | undefined
}

/** Throws for an origin that is not https, and for certificates that are not PEM. */
export function targetOf({ origin, ca, proxy }: Http2Options): Target {
  const url = new URL(origin)
  if (url.protocol !== 'https:') throw new TypeError(`not an https origin: ${origin}`)
  return { origin: url, tls: verifyingTls(ca), proxy, resumption: undefined }
}

/** Rejects with the error; `signal` ends the attempt at any stage. */
export async function dial(target: Target, signal: AbortSignal): Promise<TLSSocket> {
  const { origin, tls, proxy, resumption } = target
  const host = origin.hostname.replace(/^\[|\]$/g, '')
  const port = Number(origin.port) || 443
  const tunnel = proxy && (await openTunnel(proxy, `${origin.hostname}:${port}`, signal))
  const socket = connect({
    host,
    port,
    ...(tunnel && { socket: tunnel }),
    ...(!isIP(host) && { servername: host }),
    ...tls,
    ...(resumption && { session: resumption }),
    ALPNProtocols: ['h2'],
  })
  socket.on('session', (session: Buffer) => (target.resumption = session))
  // Requests in flight keep the process alive (pool.ts), not connections.
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
  // A handshake that has failed may emit another error.
  socket.on('error', () => {})
  socket.destroy()
  tunnel?.destroy()
}

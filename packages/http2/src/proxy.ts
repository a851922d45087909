// A tunnel through an HTTP proxy (CONNECT, RFC 9110 section 9.3.6), with basic authentication when there is a user name.
import { request } from 'node:http'
import type { Socket } from 'node:net'
import type { Proxy } from './client.ts'

/** Value of Proxy-Authorization; undefined when the proxy gets no credentials. */
export const proxyAuthorization = ({ username, password = '' }: Proxy): string | undefined =>
  username ? `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` : undefined

/** The socket behind the proxy. Rejects when the proxy refuses, cannot be reached, or `signal` ends the wait. */
export function openTunnel(proxy: Proxy, authority: string, signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const authorization = proxyAuthorization(proxy)
  const connect = request({
    host: proxy.host,
    port: proxy.port,
    method: 'CONNECT',
    path: authority,
    headers: { host: authority, ...(authorization && { 'proxy-authorization': authorization }) },
    agent: false,
    signal,
  })
  connect.once('socket', (socket) => socket.unref())
  connect.once('connect', ({ statusCode = 0 }, socket) => {
    if (statusCode >= 200 && statusCode < 300) return resolve(socket)
    socket.destroy()
    reject(new Error(`the proxy responded to CONNECT with ${statusCode}`))
  })
  connect.on('error', (error) => reject(new Error(`proxy: ${error.message}`, { cause: error })))
  connect.end()
  return promise
}

// An HTTP proxy that opens tunnels (CONNECT) for clients with the right credentials, and records their requests.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'

export interface ConnectProxy {
  port: number
  /** `host:port` of each tunnel that was opened. */
  tunnels: readonly string[]
  /** How many were refused for their credentials. */
  readonly refused: number
  /** From now on; tunnels that are open stay. */
  changePassword(password: string): void
  close(): Promise<void>
}

export async function startConnectProxy(username: string, password: string): Promise<ConnectProxy> {
  const basicOf = (secret: string) => `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}`
  let expected = basicOf(password)
  let refused = 0
  const tunnels: string[] = []
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    // Either side may be disconnected when a test ends.
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  }
  const server = createServer().on('connection', keep)
  server.on('connect', ({ url = '', headers }, client: Socket) => {
    if (headers['proxy-authorization'] !== expected) {
      refused++
      return client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    }
    tunnels.push(url)
    const { hostname, port } = new URL(`tcp://${url}`)
    const origin = connect(Number(port), hostname)
    keep(origin)
    client.write('HTTP/1.1 200 OK\r\n\r\n')
    client.pipe(origin).pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    tunnels,
    get refused() {
      return refused
    },
    changePassword(password) {
      expected = basicOf(password)
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

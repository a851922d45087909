// What a provider may find in the place of its vendor: a proxy, and a server that never says a word.
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingHttpHeaders } from 'node:http'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'

/** Takes connections, and sends nothing. */
export async function startSilent(test: Test) {
  const server = createServer().listen(0, 'localhost')
  const sockets: Socket[] = []
  server.on('connection', (socket) => sockets.push(socket.on('error', () => {})))
  const dialled = once(server, 'connection')
  await once(server, 'listening')
  test.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `https://localhost:${(server.address() as AddressInfo).port}`, dialled }
}

/** A CONNECT proxy. `admit` returns the status of its response; undefined: none. */
export async function startProxy(admit: (headers: IncomingHttpHeaders) => number | undefined) {
  const authorities: string[] = []
  const sockets = new Set<Socket>()
  const server = createHttpServer()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  }
  server.on('connection', keep)
  server.on('connect', ({ url = '', headers }, socket: Socket) => {
    authorities.push(url)
    const status = admit(headers)
    if (status !== 200) return status === undefined ? undefined : socket.end(`HTTP/1.1 ${status} No\r\n\r\n`)
    const [host, port] = url.split(':')
    const upstream = connect(Number(port), host)
    keep(upstream)
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    socket.pipe(upstream).pipe(socket)
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    authorities,
    async stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

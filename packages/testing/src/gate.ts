// A way to a server that can be shut: whoever knocks then is refused, as when a machine is there and its service is not.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { freePort } from './free-port.ts'

export interface Gate {
  /** The target's URL with the gate's port. */
  url: string
  open(): Promise<void>
  /** Cuts what goes through. */
  shut(): Promise<void>
}

/** Shut at first. The target is on 127.0.0.1. */
export async function createGate(target: string): Promise<Gate> {
  const url = new URL(target)
  const targetPort = Number(url.port)
  const port = await freePort()
  url.port = String(port)
  const sockets = new Set<Socket>()
  const pass = (from: Socket, to: Socket) => {
    sockets.add(from)
    // Either side is cut with the other.
    from
      .on('error', () => {})
      .on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    from.pipe(to)
  }
  const server = createServer((client) => {
    const origin = connect(targetPort, '127.0.0.1')
    pass(client, origin)
    pass(origin, client)
  })
  return {
    url: url.href.replace(/\/$/, ''),
    async open() {
      await once(server.listen(port, '127.0.0.1'), 'listening')
    },
    async shut() {
      for (const socket of sockets) socket.destroy()
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}

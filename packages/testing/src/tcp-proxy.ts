// A TCP proxy that can be closed: it then refuses connections, as a machine does whose service is not running.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { Transform } from 'node:stream'
import { freePort } from './free-port.ts'

export interface TcpProxy {
  /** The target's URL with the gate's port. */
  url: string
  open(): Promise<void>
  /** Cuts what goes through. */
  shut(): Promise<void>
  /** The same, but new connections get through. */
  disconnect(): void
  /** The next connection that sends `text` is closed when the response arrives, so that it is lost. Resolves then. */
  loseResponseTo(text: string): Promise<void>
}

interface Loss {
  text: string
  resolve(): void
}

/** Shut at first. The target is on 127.0.0.1. */
export async function createTcpProxy(target: string): Promise<TcpProxy> {
  const url = new URL(target)
  const targetPort = Number(url.port)
  const port = await freePort()
  url.port = String(port)
  const sockets = new Set<Socket>()
  let lost: Loss | undefined
  /** When one side closes, so does the other. */
  const hold = (one: Socket, other: Socket) => {
    sockets.add(one)
    one
      .on('error', () => {})
      .on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
  }
  const server = createServer((client) => {
    const origin = connect(targetPort, '127.0.0.1')
    hold(client, origin)
    hold(origin, client)
    let loses: Loss | undefined
    client.on('data', (chunk) => {
      if (!lost || !chunk.includes(lost.text)) return
      loses = lost
      lost = undefined
    })
    client.pipe(origin)
    const responses = new Transform({
      transform(chunk, _encoding, done) {
        if (!loses) return done(null, chunk)
        client.destroy()
        loses.resolve()
        done()
      },
    })
    origin.pipe(responses).pipe(client)
  })
  const disconnect = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: url.href.replace(/\/$/, ''),
    async open() {
      await once(server.listen(port, '127.0.0.1'), 'listening')
    },
    disconnect,
    loseResponseTo(text) {
      const { promise, resolve } = Promise.withResolvers<void>()
      lost = { text, resolve }
      return promise
    },
    async shut() {
      disconnect()
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}

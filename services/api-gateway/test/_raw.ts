// Requests as bytes on a socket, for what no client would send, and the responses as they come back.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface RawResponse {
  status: number
  headers: Record<string, string>
  // The tests read members of many shapes; what is not there fails their assertions.
  body: any // oxlint-disable-line typescript/no-explicit-any
}

export interface RawConnection {
  socket: Socket
  send(bytes: string | Buffer): void
  /** The next response; rejects when the connection ends before it is complete. */
  next(): Promise<RawResponse>
  /** Everything until the server ends the connection. */
  rest(): Promise<string>
  /** Resolves once the server has ended the connection; rejects when something came before that. */
  ended(): Promise<void>
}

/** A response is awaited for so long: long enough for a slow machine, and a hang does not hang the test. */
const PATIENCE_MS = 20_000

export async function openRaw(port: number, host = '127.0.0.1'): Promise<RawConnection> {
  const socket = connect({ port, host, allowHalfOpen: true })
  await once(socket, 'connect')
  let received = Buffer.alloc(0)
  let hasEnded = false
  let wake = () => {}
  socket.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes])
    wake()
  })
  for (const event of ['end', 'error', 'close'])
    socket.on(event, () => {
      hasEnded = true
      wake()
    })

  async function waitFor<T>(read: () => T | undefined): Promise<T> {
    const late = AbortSignal.timeout(PATIENCE_MS)
    for (;;) {
      const seen = read()
      if (seen !== undefined) return seen
      if (late.aborted) throw new Error(`nothing came after ${JSON.stringify(received.toString('latin1'))}`)
      await new Promise<void>((resolve) => {
        wake = resolve
        late.addEventListener('abort', () => resolve(), { once: true })
      })
    }
  }

  function take(): RawResponse | undefined {
    const text = received.toString('latin1')
    const end = text.indexOf('\r\n\r\n')
    const [statusLine = '', ...lines] = text.slice(0, Math.max(end, 0)).split('\r\n')
    const headers = Object.fromEntries(
      lines.map((line) => [line.split(':')[0]?.toLowerCase(), line.replace(/^[^:]*: */, '')]),
    )
    const total = end + 4 + Number(headers['content-length'] ?? 0)
    if (end < 0 || received.length < total) {
      if (hasEnded) throw new Error(`the connection ended after ${JSON.stringify(text)}`)
      return undefined
    }
    const body = text.slice(end + 4, total)
    received = received.subarray(total)
    return { status: Number(statusLine.split(' ')[1]), headers, body: body.startsWith('{') ? JSON.parse(body) : body }
  }

  return {
    socket,
    send: (bytes) => void socket.write(bytes),
    next: () => waitFor(take),
    rest: () => waitFor(() => (hasEnded ? received.toString() : undefined)),
    async ended() {
      await waitFor(() => hasEnded || received.length > 0 || undefined)
      if (received.length > 0) throw new Error(`more came: ${JSON.stringify(received.toString('latin1'))}`)
    },
  }
}

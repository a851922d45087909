// Requests whose bodies come slowly, or never whole: what a broken client, or one with bad intent, does.
import { request, type IncomingHttpHeaders } from 'node:http'

export interface SlowResponse {
  status: number
  headers: IncomingHttpHeaders
  body: any // oxlint-disable-line typescript/no-explicit-any
}

export interface SlowRequest {
  write(text: string): void
  end(text?: string): void
  /** The client goes away. */
  destroy(): void
  /** Undefined as long as nothing has come. */
  response(): SlowResponse | undefined
  /** How it ended without a response. */
  error(): Error | undefined
  isClosed(): boolean
}

export interface SlowRequestOptions {
  method?: string
  headers?: Record<string, string>
  /** Sent with the headers. */
  begin?: string
  /** One byte of it after the other, for ever. */
  drip?: { text: string; everyMs: number }
}

export function startSlowRequest(url: string, options: SlowRequestOptions = {}): SlowRequest {
  const { method = 'POST', headers = {}, begin = '', drip } = options
  let response: SlowResponse | undefined
  let failure: Error | undefined
  let closed = false
  const client = request(url, { method, headers: { 'transfer-encoding': 'chunked', ...headers }, agent: false })
  client.on('error', (error) => (failure ??= error))
  client.on('close', () => (closed = true))
  client.on('response', (incoming) => {
    const pieces: Buffer[] = []
    incoming.on('data', (piece: Buffer) => pieces.push(piece))
    incoming.on('error', (error) => (failure ??= error))
    incoming.on('end', () => {
      const text = Buffer.concat(pieces).toString()
      const body = text.startsWith('{') ? JSON.parse(text) : text
      response = { status: incoming.statusCode ?? 0, headers: incoming.headers, body }
    })
  })
  client.flushHeaders()
  if (begin !== '') client.write(begin)
  if (drip) {
    let at = 0
    const timer = setInterval(() => {
      if (response || closed || failure) clearInterval(timer)
      else client.write(drip.text[at++ % drip.text.length])
    }, drip.everyMs)
    client.on('close', () => clearInterval(timer))
  }
  return {
    write: (text) => void client.write(text),
    end: (text) => void client.end(text),
    destroy: () => client.destroy(),
    response: () => response,
    error: () => failure,
    isClosed: () => closed,
  }
}

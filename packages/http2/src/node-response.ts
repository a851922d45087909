// Collects the response on one stream of node:http2, up to a bound.
import type { IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2'
import { MAX_RESPONSE_BYTES, type Ending } from './session.ts'

export class NodeResponse {
  #head: (IncomingHttpHeaders & IncomingHttpStatusHeader) | undefined
  #body: Buffer | undefined

  begin(head: IncomingHttpHeaders & IncomingHttpStatusHeader) {
    this.#head = head
  }

  /** False when the response is too long; the chunk is dropped then. */
  add(chunk: Buffer): boolean {
    if ((this.#body?.length ?? 0) + chunk.length > MAX_RESPONSE_BYTES) return false
    this.#body = this.#body ? Buffer.concat([this.#body, chunk]) : chunk
    return true
  }

  /** Undefined when no status came. */
  ending(): Ending | undefined {
    const status = this.#head?.[':status']
    if (this.#head === undefined || status === undefined) return undefined
    const headers: Record<string, string> = {}
    for (const name in this.#head) {
      if (!name.startsWith(':')) headers[name] = String(this.#head[name])
    }
    return { kind: 'response', status, headers, body: this.#body?.toString() ?? '' }
  }
}

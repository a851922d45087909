// One POST on its way through undici: until when it may wait, and what its end says. undici tells when it begins to
// write; what failed before that was not sent for certain.
import type { Http2Result } from '@push-server/http2'
import type { Dispatcher } from 'undici'

/** How a POST ended, in the words of our HTTP/2 client. */
export type PostResult = Http2Result

export interface PostRequestOptions {
  /** Longest wait for a connection. */
  connectTimeoutMs: number
  /** Longest wait for the answer after that. */
  requestTimeoutMs: number
  /** Withdraws what is not written yet. */
  signal?: AbortSignal | undefined
}

type Headers = Readonly<Record<string, string | string[] | undefined>>

export class PostRequest implements Dispatcher.DispatchHandler {
  readonly result: Promise<PostResult>
  readonly #settle: (result: PostResult) => void
  readonly #options: PostRequestOptions
  readonly #chunks: Buffer[] = []
  #isOver = false
  /** Set once it is being written. */
  #controller: Dispatcher.DispatchController | undefined
  #timer: NodeJS.Timeout
  #status = 0
  #headers: Headers = {}

  constructor(options: PostRequestOptions) {
    const { promise, resolve } = Promise.withResolvers<PostResult>()
    this.result = promise
    this.#settle = resolve
    this.#options = options
    this.#timer = setTimeout(this.#noConnection, options.connectTimeoutMs)
    options.signal?.addEventListener('abort', this.#withdraw)
    if (options.signal?.aborted) this.#withdraw()
  }

  onRequestStart(controller: Dispatcher.DispatchController) {
    // Thrown, not aborted: undici would close the connection for it. When connections open slowly, each would be closed by
    // those who gave up waiting for it, and nobody would get through any more.
    if (this.#isOver) throw new Error('withdrawn')
    this.#controller = controller
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#noResponse, this.#options.requestTimeoutMs)
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Headers) {
    this.#status = status
    this.#headers = headers
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer) {
    this.#chunks.push(chunk)
  }

  onResponseEnd() {
    const body = Buffer.concat(this.#chunks).toString()
    this.#end({ kind: 'response', status: this.#status, headers: textsOf(this.#headers), body })
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error) {
    this.#end({ kind: this.#controller ? 'unknown' : 'unsent', reason: reasonOf(error) })
  }

  #noConnection = () => this.#end({ kind: 'unsent', reason: 'no connection in time' })

  #noResponse = () => {
    const reason = `no answer within ${this.#options.requestTimeoutMs} ms`
    this.#end({ kind: 'timeout', reason })
    this.#controller?.abort(new Error(reason))
  }

  #withdraw = () => {
    if (!this.#controller) this.#end({ kind: 'unsent', reason: 'withdrawn' })
  }

  /** Only the first one counts. */
  #end(result: PostResult) {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#options.signal?.removeEventListener('abort', this.#withdraw)
    this.#settle(result)
  }
}

const textsOf = (headers: Headers): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]))

/** An AggregateError of several addresses has a code but no message. */
const reasonOf = (error: Error & { code?: string }) => error.message || error.code || error.name

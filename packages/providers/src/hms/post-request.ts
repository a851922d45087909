// One POST through undici, with its deadlines. undici tells when it begins to write: a POST that failed before was not sent for
// certain.
import type { Http2Result } from '@push-server/http2'
import type { Dispatcher } from 'undici'

/** The result of a POST, as that of our HTTP/2 client. */
export type PostResult = Http2Result

export interface PostRequestOptions {
  /** Longest wait for a connection. */
  connectTimeoutMs: number
  /** Longest wait for the response after that. */
  requestTimeoutMs: number
  /** Withdraws a POST that is not written yet. */
  signal?: AbortSignal | undefined
}

type Headers = Readonly<Record<string, string | string[] | undefined>>

export class PostRequest implements Dispatcher.DispatchHandler {
  readonly result: Promise<PostResult>
  readonly #settle: (result: PostResult) => void
  readonly #options: PostRequestOptions
  readonly #chunks: Buffer[] = []
  #isOver = false
  /** Set once the POST is being written. */
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
    // Thrown, not aborted, since undici closes the connection of an aborted POST. When connections open slowly, each would be closed
    // by a POST that no longer waits for it, and no POST would succeed.
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
    const reason = `no response within ${this.#options.requestTimeoutMs} ms`
    this.#end({ kind: 'timeout', reason })
    this.#controller?.abort(new Error(reason))
  }

  #withdraw = () => {
    if (!this.#controller) this.#end({ kind: 'unsent', reason: 'withdrawn' })
  }

  /** Only the first result counts. */
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

// The fields of one block, collected and checked by the rules for responses (RFC 9113 sections 8.2 and 8.3.2). A response that breaks
// them is malformed: its stream is reset, the connection goes on (section 8.1.1).
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const BAD_VALUE = /[\0\r\n]|^[ \t]|[ \t]$/
/** Fields about a connection, which HTTP/2 does not allow (RFC 9113 section 8.2.2). */
const OF_CONNECTIONS = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'])
const STATUS = /^[1-9]\d\d$/
const CONTENT_LENGTH = /^\d{1,15}$/

export class ResponseHead {
  /** 0 as long as there is none. */
  status = 0
  headers: Record<string, string> = {}
  /** The rule that it breaks, if any. */
  error: string | undefined
  contentLength: number | undefined
  #isEmpty = true

  reset() {
    this.status = 0
    this.headers = {}
    this.error = undefined
    this.contentLength = undefined
    this.#isEmpty = true
  }

  /** The sink of the decoder. */
  readonly field = (name: string, value: string) => {
    if (name === ':status') return this.#pseudo(value)
    this.#isEmpty = false
    if (BAD_VALUE.test(value)) this.error = `the value of ${printable(name)}`
    if (!NAME.test(name)) this.error = `the field ${printable(name)}`
    if (OF_CONNECTIONS.has(name)) this.error = `the field ${name}`
    if (name === 'content-length') this.#length(value)
    const earlier = this.headers[name]
    this.headers[name] = earlier === undefined ? value : `${earlier}, ${value}`
  }

  #pseudo(status: string) {
    if (this.status !== 0) this.error = 'two of :status'
    if (!this.#isEmpty) this.error = ':status behind other fields'
    if (!STATUS.test(status)) this.error = `the status ${printable(status)}`
    else this.status = Number(status)
  }

  #length(value: string) {
    const length = CONTENT_LENGTH.test(value) ? Number(value) : undefined
    if (length === undefined || (this.contentLength ?? length) !== length) this.error = 'the field content-length'
    this.contentLength = length
  }
}

/** Makes a text of the peer safe for a log. */
export const printable = (text: string): string => text.slice(0, 200).replace(/[^\x20-\x7e]/g, '.')

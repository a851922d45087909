// A client of the API as an integrator would write it: real HTTP, JSON in, JSON out.

export interface Response {
  status: number
  headers: Headers
  // The tests read members of many shapes; what is not there fails their assertions.
  body: any // oxlint-disable-line typescript/no-explicit-any
}

export interface Api {
  readonly url: string
  get(path: string): Promise<Response>
  /** `object` goes into the wrapper. */
  post(path: string, object: unknown): Promise<Response>
  call(method: string, path: string, init?: { body?: string; headers?: Record<string, string> }): Promise<Response>
}

/** `always` are headers of every request, such as an API key. */
export function createApi(url: string, always: Readonly<Record<string, string>> = {}): Api {
  const call: Api['call'] = async (method, path, { body, headers = { 'content-type': 'application/json' } } = {}) => {
    const sent = { ...always, ...(body !== undefined && headers) }
    const response = await fetch(url + path, { method, headers: sent, body: body ?? null })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text.startsWith('{') ? JSON.parse(text) : text }
  }
  return {
    url,
    call,
    get: (path) => call('GET', path),
    post: (path, object) => call('POST', path, { body: JSON.stringify({ requestObject: object }) }),
  }
}

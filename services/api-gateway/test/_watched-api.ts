// A client that checks every response for what it must not disclose, and the shapes of refusals.
import { createApi, type Response, type Api } from '@push-server/testing'
import type { Test } from 'tap'
import { nullPrimitives } from './forms/_strict-reader.ts'

/** Words that only our inside knows. */
const INSIDE =
  /node_modules|\.ts:\d|\n\s+at |SELECT |INSERT |UPDATE |prisma|constraint|postgres(ql)?:|SQLSTATE|pg_|Fastify|FST_/

export interface WatchedApi extends Api {
  /** Responses that disclosed something internal, had no id, or a null that clients read into a primitive. */
  readonly leaks: string[]
}

/** A client that checks every JSON response and its id; `always` are headers of every request. */
export function watch(url: string, always: Readonly<Record<string, string>> = {}): WatchedApi {
  const api = createApi(url, always)
  const leaks: string[] = []
  const read = (what: string, response: Response): Response => {
    const text = JSON.stringify(response.body)
    if (INSIDE.test(text)) leaks.push(`${what}: ${text}`)
    if (!/^[a-zA-Z0-9-]{8,1024}$/.test(response.headers.get('x-correlation-id') ?? '')) leaks.push(`${what}: no id`)
    for (const path of nullPrimitives(response.body)) leaks.push(`${what}: ${path} is null`)
    return response
  }
  const call: Api['call'] = async (method, path, init) => read(`${method} ${path}`, await api.call(method, path, init))
  return {
    url,
    leaks,
    call,
    get: (path) => call('GET', path),
    post: (path, object) => call('POST', path, { body: JSON.stringify({ requestObject: object }) }),
  }
}

/** 400 ERROR_GENERIC with exactly this text. A registration may name the user that it lacks beside it. */
export function refusedWith(t: Test, response: Response, message: string, name = message): void {
  const { violations = [], ...responseObject } = response.body.responseObject
  t.same(
    [response.status, { ...response.body, responseObject }],
    [400, { status: 'ERROR', responseObject: { code: 'ERROR_GENERIC', message } }],
    name,
  )
  for (const { fieldName } of violations) t.equal(fieldName, 'requestObject.userId', name)
}

/** 400 ERROR_REQUEST with a violation of the field whose hint matches: in a list, or in the message where the form has no list. */
export function violates(
  t: Test,
  { status, body }: Response,
  [fieldName, hint]: readonly [string, RegExp],
  name = fieldName,
): void {
  const { code, message, violations } = body.responseObject
  t.same([status, body.status, code], [400, 'ERROR', 'ERROR_REQUEST'], name)
  if (violations !== undefined) {
    t.equal(message, INVALID, name)
    return void t.match(violations, [{ fieldName, hint }], name)
  }
  t.ok(String(message).startsWith(`${INVALID}: ${fieldName} `), `${name}: ${message}`)
  t.match(String(message).slice(`${INVALID}: ${fieldName} `.length), hint, name)
}

const INVALID = 'Invalid method parameter value'

export const isOk = (t: Test, response: Response, name: string): boolean =>
  t.same([response.status, response.body.status], [200, 'OK'], name)

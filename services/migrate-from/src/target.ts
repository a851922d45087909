// The API that the data is moved to. A call that gets no response, 5xx or 429 is made again: imports may be repeated.
import { setTimeout as sleep } from 'node:timers/promises'
import type { ImportResult, LineError } from '@push-server/contract'
import { ConfigError } from '@push-server/runtime'

export interface Target {
  get(path: string): Promise<unknown>
  post(path: string, body: unknown): Promise<unknown>
  /** The good lines are kept. Errors name lines from 1. */
  send(path: string, lines: readonly object[], options: { dryRun: boolean }): Promise<ImportResult>
}

export interface TargetOptions {
  base: string
  key: string | undefined
  /** Before a call is made again, by its number from 1; undefined: it is not. */
  delay?: (attempt: number) => number | undefined
}

const NDJSON = 'application/x-ndjson'
const MOST_ATTEMPTS = 6

/** About a minute in all. */
const DELAY = (attempt: number) => (attempt < MOST_ATTEMPTS ? 1000 * 2 ** attempt : undefined)

interface Received {
  status: number
  body: { responseObject?: unknown }
}

/** May be otherwise in a moment: 429 comes from a quota of calls. */
const isPassing = (status: number) => status >= 500 || status === 429

export function createTarget({ base, key, delay = DELAY }: TargetOptions): Target {
  const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` }

  async function once(method: string, path: string, body?: { type: string; text: string }): Promise<Received> {
    const response = await fetch(base + path, {
      method,
      headers: { ...authorization, ...(body && { 'content-type': body.type }) },
      body: body?.text ?? null,
      redirect: 'error',
    })
    const text = await response.text()
    return { status: response.status, body: parsed(text) }
  }

  async function call(...request: Parameters<typeof once>): Promise<Received> {
    for (let attempt = 1; ; attempt += 1) {
      const wait = delay(attempt)
      const received = await once(...request).catch((error: unknown) => {
        if (wait === undefined) throw new ConfigError(`${base} does not respond: ${reasonOf(error)}`, { cause: error })
      })
      if (received && (!isPassing(received.status) || wait === undefined)) return received
      await sleep(wait)
    }
  }

  async function required(...request: Parameters<typeof once>): Promise<unknown> {
    const { status, body } = await call(...request)
    if (status === 200) return body
    throw refusalOf(`${request[0]} ${base}${request[1]}`, status, body.responseObject)
  }

  return {
    get: (path) => required('GET', path),
    post: (path, body) => required('POST', path, { type: 'application/json', text: JSON.stringify(body) }),
    async send(path, lines, { dryRun }) {
      const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
      const { status, body } = await call('PUT', `${path}?partial=true&dryRun=${dryRun}`, { type: NDJSON, text })
      if (status === 200) return body.responseObject as ImportResult
      const errors = status === 400 ? errorsOf(body.responseObject) : []
      // Not one of its lines was good.
      if (errors.length > 0) return { imported: 0, updated: 0, kept: 0, failed: lines.length, errors }
      throw refusalOf(`PUT ${base}${path}`, status, body.responseObject)
    },
  }
}

function parsed(text: string): Received['body'] {
  try {
    return Object(JSON.parse(text)) as Received['body']
  } catch {
    return {}
  }
}

/** Those of a file of which nothing was kept. */
function errorsOf(response: unknown): LineError[] {
  const { violations, message = '' } = Object(response) as {
    violations?: { fieldName: string; hint: string }[]
    message?: string
  }
  // With ERROR_VIOLATIONS=false the message has the first of them.
  const [, place = '', hint = ''] = /^Nothing of the file was kept: .*?: (line \d+: \S+) (.*)$/.exec(message) ?? []
  return (violations ?? [{ fieldName: place, hint }]).flatMap(({ fieldName: named, hint: why }) => {
    const [, line, fieldName = ''] = /^line (\d+): (.*)$/.exec(named) ?? []
    return line === undefined ? [] : [{ line: Number(line), fieldName, hint: why }]
  })
}

const HELP: Readonly<Record<number, string>> = {
  401: 'PUSH_API_KEY holds no key that is valid there',
  403: 'the key of PUSH_API_KEY needs the scope admin, and may not be bound to applications',
  404: 'there is no such operation: is this the base of the API?',
}

function refusalOf(call: string, status: number, response: unknown): ConfigError {
  const { message } = Object(response) as { message?: string }
  const texts = [HELP[status], message].filter((text) => text !== undefined)
  return new ConfigError(`${call} got ${status}: ${texts.join('; ')}. What was moved by then stays; call this again`)
}

const reasonOf = (error: unknown) => {
  const { cause } = error as { cause?: Error }
  return cause?.message || (error as Error).message
}

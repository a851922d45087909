// A call that is made again until it succeeds, as long as only transient errors occur.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Response, Api } from '@push-server/testing'

const RETRY_MS = 100

export interface InsistOptions {
  /** Whether a refusal says that an earlier attempt succeeded, whose response was lost. */
  isDone?: (text: string) => boolean
  type?: string
}

export const wrapped = (requestObject: unknown) => JSON.stringify({ requestObject })

/** Rejects on any response but 200, 503 and those that `isDone` accepts. */
export async function insist(
  api: Api,
  [method, path, body]: readonly [method: string, path: string, body: string],
  { isDone = () => false, type = 'application/json' }: InsistOptions = {},
): Promise<Response> {
  for (;;) {
    const response = await api.call(method, path, { body, headers: { 'content-type': type } }).catch(() => undefined)
    if (response && (response.status === 200 || isDone(JSON.stringify(response.body)))) return response
    if (response && response.status !== 503)
      throw new Error(`${path}: ${response.status} ${JSON.stringify(response.body)}`)
    await sleep(RETRY_MS)
  }
}

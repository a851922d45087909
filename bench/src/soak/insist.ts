// A call that is made again until it is done, as long as nothing worse than a fault that passes stands in its way.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Response, Api } from '@push-server/testing'

const RETRY_MS = 100

export interface Insisting {
  /** Takes a refusal that says it was done by an earlier try, whose answer was lost. */
  isDone?: (text: string) => boolean
  type?: string
}

export const wrapped = (requestObject: unknown) => JSON.stringify({ requestObject })

/** Rejects with any answer but 200, 503 and those that `isDone` takes. */
export async function insist(
  api: Api,
  [method, path, body]: readonly [method: string, path: string, body: string],
  { isDone = () => false, type = 'application/json' }: Insisting = {},
): Promise<Response> {
  for (;;) {
    const response = await api.call(method, path, { body, headers: { 'content-type': type } }).catch(() => undefined)
    if (response && (response.status === 200 || isDone(JSON.stringify(response.body)))) return response
    if (response && response.status !== 503)
      throw new Error(`${path}: ${response.status} ${JSON.stringify(response.body)}`)
    await sleep(RETRY_MS)
  }
}

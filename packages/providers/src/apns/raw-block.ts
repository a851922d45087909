// The raw block of a message for APNs: what it may say, and how it is merged. Whatever it says, topic, path, push type, token and
// authorization stay ours. Pure.
import type { MessageBody } from '@push-server/contract'
import type { PayloadProblem } from '../payload-limits.ts'
import { isObject, mergePatch } from '../raw-blocks/merge-patch.ts'
import { objectProblems, strangers, unsafeProblem } from '../raw-blocks/problems.ts'

type Json = Record<string, unknown>

/** What each header may be; null is no value but for the collapse id, which may be removed. */
const HEADERS: Readonly<Record<string, { fits: RegExp; hint: string }>> = {
  'apns-priority': { fits: /^(?:1|5|10)$/, hint: 'must be 1, 5 or 10' },
  'apns-collapse-id': {
    fits: /^[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?$/,
    hint: 'must have 1 to 64 ASCII characters, without blanks at its ends',
  },
  'apns-expiration': { fits: /^\d{1,10}$/, hint: 'must be seconds since the epoch, as digits' },
}
const REMOVABLE = 'apns-collapse-id'

const textOf = (value: unknown) => (typeof value === 'string' || Number.isSafeInteger(value) ? String(value) : '')

/** Problems of the headers of a block, at whatever path. */
export function headerProblems(field: string, headers: object): PayloadProblem[] {
  const wrong = Object.entries(headers).flatMap(([name, value]) => {
    const header = Object.hasOwn(HEADERS, name) ? HEADERS[name] : undefined
    if (!header || (value === null && name === REMOVABLE) || header.fits.test(textOf(value))) return []
    return [{ field: `${field}.${name}`, hint: header.hint }]
  })
  return [...strangers(field, headers, Object.keys(HEADERS)), ...wrong]
}

/** Of the block by itself, whatever message it stands in. */
export function rawApnsProblems(block: MessageBody['apns']): PayloadProblem[] {
  if (!block) return []
  const unsafe = unsafeProblem('body.apns', block)
  if (unsafe) return [unsafe]
  const { payload, headers } = block
  return [
    ...strangers('body.apns', block, ['headers', 'payload']),
    ...objectProblems('body.apns', block, ['headers', 'payload']),
    ...(isObject(headers) ? headerProblems('body.apns.headers', headers) : []),
    ...(isObject(payload) && Object.hasOwn(payload, 'aps') && !isObject(payload['aps'])
      ? [{ field: 'body.apns.payload.aps', hint: 'must be an object' }]
      : []),
  ]
}

/** Of the block in its message: the payload has to fit the push type, which stays what it is. */
export function mergedApnsProblems({ apns }: MessageBody, payload: Json, silent: boolean): PayloadProblem[] {
  if (!apns) return []
  const aps = isObject(payload['aps']) ? payload['aps'] : {}
  const isBackground = aps['content-available'] === 1 && aps['alert'] === undefined
  const problems: PayloadProblem[] = []
  if (isBackground !== silent)
    problems.push({
      field: 'body.apns.payload.aps',
      hint: silent
        ? 'must leave content-available, and no alert, in a silent message'
        : 'must not make a silent push of a message that shows something',
    })
  if (silent && textOf(apns.headers?.['apns-priority']) === '10')
    problems.push({ field: 'body.apns.headers.apns-priority', hint: 'must not be 10 in a silent message' })
  return problems
}

/** Headers and payload with the block merged over them; what must not be set is left out, whoever let it pass. */
export function mergeRawApns(
  { apns }: MessageBody,
  { headers, payload }: { headers: Readonly<Record<string, string>>; payload: Json },
): { headers: Readonly<Record<string, string>>; payload: Json } {
  if (!apns) return { headers, payload }
  const merged: Record<string, string> = { ...headers }
  for (const [name, value] of Object.entries(isObject(apns.headers) ? apns.headers : {})) {
    if (value === null && name === REMOVABLE) delete merged[name]
    else if (Object.hasOwn(HEADERS, name) && HEADERS[name]?.fits.test(textOf(value))) merged[name] = textOf(value)
  }
  const patched = isObject(apns.payload) ? mergePatch(payload, apns.payload) : payload
  return { headers: merged, payload: isObject(patched['aps']) ? patched : { ...patched, aps: payload['aps'] } }
}

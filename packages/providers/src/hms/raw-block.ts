// The raw block of a message for HMS: what it may say, and how it is merged. The tokens are written around the merged object. Pure.
import type { MessageBody } from '@push-server/contract'
import type { PayloadProblem } from '../payload-limits.ts'
import { having, isObject, mergePatch, onlyOf } from '../raw-blocks/merge-patch.ts'
import { kept, objectProblems, strangers, unsafeProblem } from '../raw-blocks/problems.ts'

type Json = Record<string, unknown>

/** `v3` is for HarmonyOS 5 and later; the others for the API that phones of Android have. */
const SECTIONS = ['data', 'notification', 'android'] as const
const ALLOWED = [...SECTIONS, 'v3'] as const

/** Of the block by itself, whatever message it stands in. */
export function rawHmsProblems(block: MessageBody['hms']): PayloadProblem[] {
  if (!block) return []
  const unsafe = unsafeProblem('body.hms', block)
  if (unsafe) return [unsafe]
  const { data, android, v3 } = block
  return [
    ...strangers('body.hms', block, ALLOWED),
    ...objectProblems('body.hms', block, ['notification', 'android', 'v3']),
    ...kept('body.hms', block, 'android'),
    ...(data === undefined || data === null || typeof data === 'string'
      ? []
      : [{ field: 'body.hms.data', hint: 'must be a text' }]),
    ...(isObject(android) ? collapseProblems(android['collapse_key']) : []),
    ...(isObject(v3) ? v3Problems(v3) : []),
  ]
}

function collapseProblems(key: unknown): PayloadProblem[] {
  const fits = key === undefined || key === null || (Number.isInteger(key) && Number(key) >= -1 && Number(key) <= 100)
  return fits ? [] : [{ field: 'body.hms.android.collapse_key', hint: 'must be an integer from -1 to 100' }]
}

const v3Problems = (v3: Json) => [
  ...strangers('body.hms.v3', v3, ['payload', 'pushOptions']),
  ...objectProblems('body.hms.v3', v3, ['payload', 'pushOptions']),
  ...(isObject(v3['pushOptions']) && Object.hasOwn(v3['pushOptions'], 'testMessage')
    ? [{ field: 'body.hms.v3.pushOptions.testMessage', hint: 'must not be set' }]
    : []),
]

/** The message of v2 with the block merged over it. Nothing but sections is left of it, so no target, whoever let one pass. */
export function mergeRawHms<T extends object>({ hms }: MessageBody, message: T): T {
  if (!hms) return message
  return having('android', onlyOf(SECTIONS, mergePatch(message, hms))) as T
}

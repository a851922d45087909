// Which members of a body version 3 of HMS has no place for, told without building its payload. Pure.
import { isRich, type MessageBody } from '@push-server/contract'
import { ignoredMembers, ignoredOfRich } from '../ignored-members.ts'
import type { PushMessage } from '../provider.ts'
import { PLACES_V3, replacedOnHmsV3 } from './members-v3.ts'
import { isDataOnly, USUAL_SOUND } from './payload-v3.ts'
import { hmsCollapseKey, type HmsPayloadOptions } from './payload.ts'

/** Texts by their keys, and what is for other phones. */
const NOWHERE = ['icon', 'category', 'titleLocKey', 'titleLocArgs', 'bodyLocKey', 'bodyLocArgs'] as const

/** Paths such as `body.icon`. */
export function ignoredInV3({ body, silent }: PushMessage, options: Pick<HmsPayloadOptions, 'dataOnly'>): string[] {
  const hasNotification = !silent
  const homeless: (keyof MessageBody)[] = [...NOWHERE]
  if (silent) homeless.push('badge')
  if (body.sound === USUAL_SOUND) homeless.push('sound')
  // Background data replaces nothing.
  if (silent || isDataOnly(body, options) || hmsCollapseKey(body.collapseKey) === undefined)
    homeless.push('collapseKey')
  const classic = [...new Set(ignoredMembers(body, homeless, hasNotification))]
  if (!isRich(body)) return classic
  return ignoredOfRich(body, PLACES_V3, { classic, hasNotification, replaced: replacedOnHmsV3(body) })
}

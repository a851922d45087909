// Which members of a body a provider has no place for, told without building its payload. Pure.
import type { MessageBody } from '@push-server/contract'

type Name = keyof MessageBody

/** Where a provider puts the members that are not for every platform; those that are in neither list have a place in every message. */
export interface Places {
  /** It has no place for these. */
  none: readonly Name[]
  /** Their place is in the notification, which silent messages do not have. */
  notification: readonly Name[]
}

const OF_NOTIFICATIONS: readonly Name[] = [
  'title',
  'titleLocKey',
  'titleLocArgs',
  'body',
  'bodyLocKey',
  'bodyLocArgs',
  'sound',
  'icon',
  'category',
]

/** Nothing is lost of these. */
const isEmpty = (value: unknown) =>
  value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)

/** Paths such as `body.icon` of what is given and has no place: `homeless`, all that belongs to a notification where there is none. */
export function ignoredMembers(body: MessageBody, homeless: readonly Name[], hasNotification: boolean): string[] {
  const names: Name[] = hasNotification ? [...homeless] : [...new Set([...homeless, ...OF_NOTIFICATIONS])]
  if (hasNotification && !body.titleLocKey) names.push('titleLocArgs')
  if (hasNotification && !body.bodyLocKey) names.push('bodyLocArgs')
  return names.filter((name) => !isEmpty(body[name])).map((name) => `body.${name}`)
}

/** The same of a body with members that are not for every platform. `replaced`: others stand in their place. */
export function ignoredOfRich(
  body: MessageBody,
  { none, notification }: Places,
  {
    classic,
    hasNotification,
    replaced,
  }: { classic: readonly string[]; hasNotification: boolean; replaced: readonly Name[] },
): string[] {
  const names = [...none, ...replaced, ...(hasNotification ? [] : notification)]
  return [...new Set([...classic, ...names.filter((name) => !isEmpty(body[name])).map((name) => `body.${name}`)])]
}

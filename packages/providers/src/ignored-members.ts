// Which members of a body a provider has no place for, told without building its payload. Pure.
import type { MessageBody } from '@push-server/contract'

type Name = keyof MessageBody

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

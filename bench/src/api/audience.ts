// Users of `bench:api`, and which of them gets which message: the same sum for the import, for the load and for what has to
// arrive. Pure.
import type { Platform } from '@push-server/contract'
import { BATCH, platformsOf, USERS, type Cell } from './cells.ts'

export interface Audience {
  /** Of the applications, and part of their ids. */
  name: string
  applications: number
  users: number
  /** Each user has a device on each of them. */
  platforms: readonly Platform[]
}

/** A number of messages to an audience, in requests of so many each. */
export interface Sending {
  audience: Audience
  messages: number
  perRequest: number
}

/** Platforms have audiences of their own, as have numbers of applications. */
export function audienceOf(cell: Pick<Cell, 'devices' | 'platform' | 'applications'>): Audience {
  const platforms = platformsOf(cell)
  const name = `bench-${platforms.join('-')}-${cell.applications}`
  return { name, applications: cell.applications, users: USERS, platforms }
}

export const sendingOf = (cell: Cell, messages = cell.messages): Sending => ({
  audience: audienceOf(cell),
  messages,
  perRequest: cell.operation === 'batch' ? BATCH : 1,
})

export const appIdOf = ({ name }: Audience, application: number): string => `${name}-${application}`
export const userIdOf = (user: number): string => `user-${user}`
export const requestsIn = ({ messages, perRequest }: Sending): number => Math.ceil(messages / perRequest)
export const usersOfEach = ({ users, applications }: Audience): number => Math.ceil(users / applications)

/** Users are numbered within their application; two audiences have no token in common. */
export function tokenOf({ name }: Audience, application: number, user: number): string {
  const place = Buffer.from(`${name}-${application}-${user}`).toString('hex')
  return place.padStart(64, '0').slice(-64)
}

export interface Recipients {
  application: number
  users: number[]
}

/** Of the request with this number: applications in turn, and the users of each in turn. */
export function recipientsOf({ audience, messages, perRequest }: Sending, request: number): Recipients {
  const { applications } = audience
  const first = Math.floor(request / applications) * perRequest
  const length = Math.min(perRequest, messages - request * perRequest)
  const users = Array.from({ length }, (_, place) => (first + place) % usersOfEach(audience))
  return { application: request % applications, users }
}

/** How many users get so many messages, by that number. */
export function usersByMessages(sending: Sending): Record<number, number> {
  const messages = new Map<string, number>()
  for (let request = 0; request < requestsIn(sending); request++) {
    const { application, users } = recipientsOf(sending, request)
    for (const user of users) {
      const key = `${application}-${user}`
      messages.set(key, (messages.get(key) ?? 0) + 1)
    }
  }
  const counts: Record<number, number> = {}
  for (const count of messages.values()) counts[count] = (counts[count] ?? 0) + 1
  return counts
}

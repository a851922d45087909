// The part of FCM's HTTP v1 API that is sent, derived from the types of firebase-admin: the API has the same members in snake case,
// enums in capitals and durations as text. Types only.
import type { AndroidConfig, AndroidNotification, BaseMessage } from 'firebase-admin/messaging'

type SnakeCase<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${SnakeCase<Rest>}`
  : Name

/** A member without a value is undefined: JSON leaves it out. */
type Wire<T> = { [Name in keyof T & string as SnakeCase<Name>]?: T[Name] | undefined }

export type WireNotification = Wire<Omit<AndroidNotification, 'priority'>> & {
  notification_priority: `PRIORITY_${Uppercase<NonNullable<AndroidNotification['priority']>>}`
}

/** The members of a message besides its token. */
export interface WireMessage extends Wire<Pick<BaseMessage, 'data'>> {
  android: Wire<Omit<AndroidConfig, 'priority' | 'ttl' | 'notification'>> & {
    priority: Uppercase<NonNullable<AndroidConfig['priority']>>
    /** A protobuf Duration. */
    ttl?: `${number}s` | undefined
    notification?: WireNotification | undefined
  }
}

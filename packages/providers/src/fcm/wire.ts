// The part of FCM's HTTP v1 API that is sent, derived from the types of firebase-admin: the API has the same members in snake case,
// enums in capitals and durations as text. Types only.
import type { AndroidConfig, AndroidNotification, BaseMessage } from 'firebase-admin/messaging'

type SnakeCase<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${SnakeCase<Rest>}`
  : Name

/** A member without a value is undefined: JSON leaves it out. */
type Wire<T> = { [Name in keyof T & string as SnakeCase<Name>]?: T[Name] | undefined }

/** Members that have another name or another format than in the library. */
type Renamed = 'priority' | 'imageUrl' | 'visibility' | 'eventTimestamp' | 'vibrateTimingsMillis'

export type WireNotification = Wire<Omit<AndroidNotification, Renamed>> & {
  notification_priority: `PRIORITY_${Uppercase<NonNullable<AndroidNotification['priority']>>}`
  image?: string | undefined
  visibility?: Uppercase<NonNullable<AndroidNotification['visibility']>> | undefined
  /** A protobuf Timestamp. */
  event_time?: string | undefined
  /** Protobuf Durations. */
  vibrate_timings?: `${number}s`[] | undefined
}

export type WireAndroid = Wire<Omit<AndroidConfig, 'priority' | 'ttl' | 'notification' | 'fcmOptions'>> & {
  priority: Uppercase<NonNullable<AndroidConfig['priority']>>
  /** A protobuf Duration. */
  ttl?: `${number}s` | undefined
  notification?: WireNotification | undefined
  fcm_options?: { analytics_label: string } | undefined
}

/** The members of a message besides its token. */
export interface WireMessage extends Wire<Pick<BaseMessage, 'data'>> {
  android: WireAndroid
}

// The members of a message to FCM. Data only.
// https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages
import { anything, decimal, flag, list, map, pattern, record, text, whole, word } from '../validation.ts'

const V1 = 'type.googleapis.com/google.firebase.fcm.v1'
const DURATION = pattern(/^\d+(\.\d{1,9})?s$/, 'type.googleapis.com/google.protobuf.Duration')
const TIMESTAMP = pattern(/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/, 'type.googleapis.com/google.protobuf.Timestamp')

const OPTIONS = record({ analytics_label: text, image: text, link: text }, { expected: `${V1}.FcmOptions` })

const LIGHT = record({
  color: record({ red: decimal, green: decimal, blue: decimal, alpha: decimal }),
  light_on_duration: DURATION,
  light_off_duration: DURATION,
})

const ANDROID_NOTIFICATION = record(
  {
    title: text,
    body: text,
    icon: text,
    color: text,
    sound: text,
    tag: text,
    click_action: text,
    body_loc_key: text,
    body_loc_args: list(text),
    title_loc_key: text,
    title_loc_args: list(text),
    channel_id: text,
    ticker: text,
    sticky: flag,
    event_time: TIMESTAMP,
    local_only: flag,
    notification_priority: word(
      ['UNSPECIFIED', 'MIN', 'LOW', 'DEFAULT', 'HIGH', 'MAX'].map((name) => `PRIORITY_${name}`),
      `${V1}.AndroidNotification.NotificationPriority`,
    ),
    default_sound: flag,
    default_vibrate_timings: flag,
    default_light_settings: flag,
    vibrate_timings: list(DURATION),
    visibility: word(['VISIBILITY_UNSPECIFIED', 'PRIVATE', 'PUBLIC', 'SECRET'], `${V1}.AndroidNotification.Visibility`),
    notification_count: whole,
    light_settings: LIGHT,
    image: text,
    bypass_proxy_notification: flag,
    proxy: word(['PROXY_UNSPECIFIED', 'ALLOW', 'DENY', 'IF_PRIORITY_LOWERED'], `${V1}.AndroidNotification.Proxy`),
  },
  { expected: `${V1}.AndroidNotification` },
)

const ANDROID = record(
  {
    collapse_key: text,
    priority: word(['NORMAL', 'HIGH'], `${V1}.AndroidConfig.AndroidMessagePriority`),
    ttl: DURATION,
    restricted_package_name: text,
    data: map(text),
    notification: ANDROID_NOTIFICATION,
    fcm_options: OPTIONS,
    direct_boot_ok: flag,
    bandwidth_constrained_ok: flag,
    restricted_satellite_ok: flag,
  },
  { expected: `${V1}.AndroidConfig` },
)

const MESSAGE = record(
  {
    name: text,
    data: map(text),
    notification: record({ title: text, body: text, image: text }, { expected: `${V1}.Notification` }),
    android: ANDROID,
    webpush: record(
      { headers: map(text), data: map(text), notification: anything, fcm_options: OPTIONS },
      { expected: `${V1}.WebpushConfig` },
    ),
    apns: record(
      { headers: map(text), payload: anything, fcm_options: OPTIONS, live_activity_token: text },
      { expected: `${V1}.ApnsConfig` },
    ),
    fcm_options: OPTIONS,
    token: text,
    fid: text,
    topic: text,
    condition: text,
  },
  { expected: `${V1}.Message` },
)

export const REQUEST = record({ validate_only: flag, message: MESSAGE })

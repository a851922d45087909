// The members of a message to HMS whose format is checked. HMS ignores all others. Data only.
// https://developer.huawei.com/consumer/en/doc/HMSCore-References/https-send-api-0000001050986197
import { flag, list, pattern, range, record, text, whole, word } from '../validation.ts'

const OPEN = { open: true }
const EXACT = { exact: true }
const COLOR = pattern(/^#[0-9a-f]{6}$/i, '#RRGGBB')

const NOTIFICATION = { title: text, body: text, image: text }

const ANDROID_NOTIFICATION = record(
  {
    ...NOTIFICATION,
    icon: text,
    color: COLOR,
    sound: text,
    default_sound: flag,
    tag: text,
    click_action: record({ type: range(1, 4), intent: text, url: text, action: text }, OPEN),
    body_loc_key: text,
    body_loc_args: list(text),
    title_loc_key: text,
    title_loc_args: list(text),
    channel_id: text,
    style: range(0, 3),
    big_title: text,
    big_body: text,
    notify_id: whole,
    group: text,
    badge: record({ add_num: range(1, 99), set_num: range(0, 99), class: text }, OPEN),
    auto_cancel: flag,
    importance: word(['LOW', 'NORMAL', 'HIGH'], 'LOW, NORMAL or HIGH', EXACT),
    visibility: word(['VISIBILITY_UNSPECIFIED', 'PRIVATE', 'PUBLIC', 'SECRET'], 'PRIVATE, PUBLIC or SECRET', EXACT),
    foreground_show: flag,
  },
  OPEN,
)

const ANDROID = record(
  {
    collapse_key: range(-1, 100),
    urgency: word(['HIGH', 'NORMAL'], 'HIGH or NORMAL', EXACT),
    category: text,
    // With or without the unit, as Huawei's own SDK has it.
    ttl: pattern(/^\d+(\.\d{1,9})?s?$/i, 'seconds such as 86400s'),
    bi_tag: text,
    fast_app_target: range(1, 2),
    data: text,
    notification: ANDROID_NOTIFICATION,
  },
  OPEN,
)

export const REQUEST = record(
  {
    validate_only: flag,
    message: record(
      { data: text, notification: record(NOTIFICATION, OPEN), android: ANDROID, token: list(text) },
      OPEN,
    ),
  },
  OPEN,
)

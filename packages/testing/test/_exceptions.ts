// The exceptions that docs/messages.md lists: what reaches a phone otherwise than it was given, and how a test recognises it. A row
// without a rule here, a rule without a row, and a row that no message ever meets fail the tests.
import { readFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { PLATFORMS, type Platform, type TokenKind } from '@push-server/contract'
import type { Values } from './_members.ts'

/** Phones of HarmonyOS 5 and later get other pushes than those of the same platform before them. */
export const HARMONY = 'HarmonyOS 5'
export type Place = Platform | typeof HARMONY
export const PLACES: readonly Place[] = [...PLATFORMS, HARMONY]
export const placeOf = (platform: Platform, tokenKind: TokenKind | undefined): Place =>
  tokenKind === 'v3' ? HARMONY : platform

/** A push as the fake got it, with what the message was made of. */
export interface Arrived {
  place: Place
  appId: string
  /** By the names of members; undefined where left out. */
  values: Values
  /** Whether the mobile applications show notifications themselves. */
  dataOnly: boolean
  headers: Readonly<Record<string, unknown>>
  payload: Readonly<Record<string, unknown>>
  /** When it was pushed, in ms since the epoch. */
  now: number
}

export interface Exception {
  members: readonly string[]
  places: readonly Place[]
  given: string
}

const GUIDE = join(import.meta.dirname, '../../../docs/messages.md')
const ROW = /^\| (?<members>`[^|]+`) \| (?<places>[^|]+) \| (?<given>[^|]+) \| (?<gets>[^|]+) \|$/gm

/** The rows of the table below this heading. */
export function readExceptions(heading: string): Exception[] {
  const [, section = ''] = readFileSync(GUIDE, 'utf8').split(`\n## ${heading}\n`)
  const [table = ''] = section.split('\n## ')
  return [...table.matchAll(ROW)].map(({ groups = {} }) => ({
    members: [...(groups['members'] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
    places: groups['places']?.trim() === 'all' ? PLACES : placesIn(groups['places'] ?? ''),
    given: groups['given']?.trim() ?? '',
  }))
}

const placesIn = (cell: string) => PLACES.filter((place) => cell.trim().split(', ').includes(place))

/** A row of which nothing need be said here: whatever is given, it is not in the push. */
export const ANYTHING = 'anything'

export interface Rule {
  applies(value: unknown, arrived: Arrived): boolean
  /** Whether what arrived is what the row says. */
  holds(value: unknown, arrived: Arrived): boolean
}

type Json = Readonly<Record<string, unknown>>
const inside = (value: unknown, ...path: string[]): unknown =>
  path.reduce<unknown>(
    (place, key) =>
      typeof place === 'object' && place !== null && Object.hasOwn(place, key) ? (place as Json)[key] : undefined,
    value,
  )

/** JSON with the members of objects in one order: PostgreSQL keeps them in another, which means nothing. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  )

/** A text, or the JSON of what is none. */
const isText = (arrived: unknown, given: unknown) =>
  typeof given === 'string' ? arrived === given : canonical(JSON.parse(String(arrived))) === canonical(given)

const isSilent = ({ values }: Arrived) => values['attributes.silent'] === true
const isEmpty = (value: unknown) => value === undefined || value === null || value === ''
function shownBy({ place, payload }: Arrived): unknown {
  if (place === HARMONY) return inside(payload, 'payload', 'notification')
  return place === 'ios' ? inside(payload, 'aps', 'alert') : inside(payload, 'android', 'notification')
}

const huaweiTitle = ({ values, appId }: Arrived) =>
  isEmpty(values['title']) ? (isEmpty(values['titleLocKey']) ? appId : undefined) : values['title']

const isGroup = (value: unknown) => typeof value === 'string' && /^(-1|\d+)$/.test(value) && Number(value) <= 100

const DAY = 86_400
/** In seconds. A number as large as one of milliseconds should have been refused: it fits nothing. */
const untilOf = (value: unknown) =>
  typeof value === 'number'
    ? value < 1e11
      ? value
      : NaN
    : /^\d+(\.\d+)?$/.test(String(value))
      ? Number(value)
      : Date.parse(String(value)) / 1_000
/** Whole seconds from the push to `validUntil`, within the provider's limits. */
const secondsLeft = (value: unknown, { now }: Arrived, [least, most]: readonly [number, number]) =>
  Math.min(Math.max(Math.floor(untilOf(value) - now / 1_000), least), most)
/** The clock has gone on between the push and its arrival. */
const near = (seconds: unknown, expected: number) => Math.abs(Number(seconds) - expected) <= 5

const lifetime = (most: number, least = 0): Rule => ({
  applies: (value) => !isEmpty(value),
  holds: (value, arrived) =>
    near(Number.parseInt(String(ttlIn(arrived)), 10), secondsLeft(value, arrived, [least, most])),
})
const ttlIn = ({ place, payload }: Arrived) =>
  place === HARMONY ? inside(payload, 'pushOptions', 'ttl') : inside(payload, 'android', 'ttl')
const collapseKeyIn = ({ place, payload }: Arrived) =>
  place === HARMONY ? inside(payload, 'pushOptions', 'collapseKey') : inside(payload, 'android', 'collapse_key')
const isData = ({ dataOnly, values }: Arrived) => Boolean(values['dataOnly'] ?? dataOnly)

/** What is shown, by the phone or by the application. */
const notificationIn = (arrived: Arrived) => shownBy(arrived) ?? handedOver(arrived)
const priorityIn = (arrived: Arrived) =>
  inside(notificationIn(arrived), arrived.place === 'huawei' ? 'importance' : 'notification_priority')
const importanceOf = (word: unknown) =>
  word === 'min' || word === 'low' ? 'LOW' : word === 'default' ? 'NORMAL' : 'HIGH'
const ARGUMENTS = { titleLocArgs: 'titleLocKey', bodyLocArgs: 'bodyLocKey', subtitleLocArgs: 'subtitleLocKey' }

const entriesOf = (value: unknown) => Object.entries(value ?? {})

/** What the mobile application is given beside what is shown. */
function dataIn({ place, payload }: Arrived): Json {
  if (place === 'ios') return payload
  if (place === 'android') return (payload['data'] ?? {}) as Json
  if (place === 'huawei') return JSON.parse(typeof payload['data'] === 'string' ? payload['data'] : '{}') as Json
  const extra = inside(payload, 'payload', 'extraData')
  if (typeof extra === 'string') return JSON.parse(extra) as Json
  return (inside(payload, 'payload', 'notification', 'clickAction', 'data') ?? {}) as Json
}

/** By the text of a row's third column. */
export const RULES: Readonly<Record<string, Rule>> = {
  'with `silent`': {
    applies: (value, arrived) => isSilent(arrived) && !isEmpty(value),
    holds: (_, arrived) => shownBy(arrived) === undefined,
  },
  'with `FCM_DATA_ONLY` or `dataOnly`': {
    applies: (value, arrived) => isData(arrived) && typeof value === 'boolean',
    holds: (_, arrived) => shownBy(arrived) === undefined,
  },
  'with `silent`, `HMS_DATA_ONLY` or `dataOnly`': {
    applies: (value, arrived) => !isEmpty(value) && (isSilent(arrived) || isData(arrived)),
    holds: (_, arrived) => collapseKeyIn(arrived) === undefined,
  },
  'an empty text': { applies: (value) => value === '', holds: () => true },
  'without its key, or an empty list': {
    applies: (value, { values }) =>
      Array.isArray(value) &&
      (value.length === 0 ||
        Object.entries(ARGUMENTS).some(([name, key]) => value === values[name] && isEmpty(values[key]))),
    holds: () => true,
  },
  'with `criticalSound`': {
    applies: (value, { values }) =>
      !isEmpty(value) && ['name', 'volume'].some((name) => values[`criticalSound.${name}`] !== undefined),
    holds: (_, { payload }) => inside(payload, 'aps', 'sound', 'critical') === 1,
  },
  'with `tag`': {
    applies: (value, { values }) => !isEmpty(value) && !isEmpty(values['tag']),
    holds: (_, arrived) => inside(notificationIn(arrived), 'tag') === arrived.values['tag'],
  },
  'with `displayPriority`': {
    applies: (value, { values }) => !isEmpty(value) && !isEmpty(values['displayPriority']),
    holds(_, arrived) {
      const word = arrived.values['displayPriority']
      const isHuawei = arrived.place === 'huawei'
      return priorityIn(arrived) === (isHuawei ? importanceOf(word) : `PRIORITY_${String(word).toUpperCase()}`)
    },
  },
  '`time-sensitive` or `critical`': {
    applies: (value) => value === 'time-sensitive' || value === 'critical',
    holds: (_, arrived) => priorityIn(arrived) === 'HIGH',
  },
  'any but `default`': {
    applies: (value) => !isEmpty(value) && value !== 'default',
    holds: (value, arrived) => priorityIn(arrived) === importanceOf(value),
  },
  'with `link`': {
    applies: (value, { values }) => !isEmpty(value) && !isEmpty(values['link']),
    holds: (_, arrived) =>
      ['click_action', 'clickAction'].some((name) =>
        Object.values(inside(notificationIn(arrived), name) ?? {}).includes(arrived.values['link']),
      ),
  },
  'with `notifyId`': {
    applies: (value, { values }) => !isEmpty(value) && !isEmpty(values['notifyId']),
    holds: (_, arrived) => inside(notificationIn(arrived), 'notifyId') === arrived.values['notifyId'],
  },
  'any other tag': {
    applies: (value) => !isEmpty(value),
    holds: (value, arrived) =>
      inside(notificationIn(arrived), 'notifyId') ===
      Number.parseInt(createHash('sha256').update(String(value)).digest('hex').slice(0, 8), 16) % 2 ** 31,
  },
  '`default`': {
    applies: (value) => value === 'default',
    holds: (_, arrived) => inside(notificationIn(arrived), 'sound') === undefined,
  },
  'no title': {
    applies: (value, arrived) => isEmpty(value) && shownBy(arrived) !== undefined,
    holds: (_, arrived) => inside(shownBy(arrived), 'title') === arrived.appId,
  },
  'no text': {
    applies: (value, arrived) => isEmpty(value) && shownBy(arrived) !== undefined,
    holds: (_, arrived) => inside(shownBy(arrived), 'body') === inside(shownBy(arrived), 'title'),
  },
  'a time': {
    applies: (value) => !isEmpty(value),
    holds: (value, arrived) =>
      Date.parse(String(inside(notificationIn(arrived), arrived.place === 'huawei' ? 'when' : 'event_time'))) ===
      Math.trunc(untilOf(value) * 1_000),
  },
  milliseconds: {
    applies: (value) => Array.isArray(value),
    holds(value, arrived) {
      const name = arrived.place === 'huawei' ? 'vibrate_config' : 'vibrate_timings'
      const seconds = inside(notificationIn(arrived), name)
      return (
        Array.isArray(value) &&
        Array.isArray(seconds) &&
        canonical(seconds.map((text) => Math.trunc(Number.parseFloat(text) * 1_000 + 0.5))) === canonical(value)
      )
    },
  },
  'no text, and no `titleLocKey`': {
    applies: (value, arrived) =>
      isEmpty(value) && isEmpty(arrived.values['titleLocKey']) && shownBy(arrived) !== undefined,
    holds: (_, arrived) => inside(shownBy(arrived), 'title') === arrived.appId,
  },
  'no text, and no `bodyLocKey`': {
    applies: (value, arrived) =>
      isEmpty(value) && isEmpty(arrived.values['bodyLocKey']) && shownBy(arrived) !== undefined,
    holds: (_, arrived) => inside(shownBy(arrived), 'body') === huaweiTitle(arrived),
  },
  'below 0 or above 99': {
    applies: (value) => typeof value === 'number' && (value < 0 || value > 99),
    holds: (value, arrived) =>
      inside(notificationIn(arrived), 'badge', arrived.place === HARMONY ? 'setNum' : 'set_num') ===
      (Number(value) < 0 ? 0 : 99),
  },
  'what is no header: blanks at its ends, or beyond ASCII': {
    applies: (value) =>
      typeof value === 'string' && value !== '' && !/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value),
    holds: (value, { headers, payload, values }) =>
      headers['apns-collapse-id'] === createHash('sha256').update(String(value)).digest('hex') &&
      inside(payload, 'aps', 'thread-id') === (isEmpty(values['threadId']) ? value : values['threadId']),
  },
  'an integer from -1 to 100': {
    applies: isGroup,
    holds: (value, arrived) => collapseKeyIn(arrived) === Number(value),
  },
  'any other text': {
    applies: (value) => !isEmpty(value) && !isGroup(value),
    holds: (_, arrived) => collapseKeyIn(arrived) === undefined,
  },
  'a time, whole seconds of it': {
    applies: (value) => !isEmpty(value),
    holds(value, arrived) {
      const given = untilOf(value)
      const latest = arrived.now / 1_000 + 28 * DAY
      return near(arrived.headers['apns-expiration'], given * 1_000 <= arrived.now ? 0 : Math.min(given, latest))
    },
  },
  'a time, as the seconds that are left': lifetime(28 * DAY),
  'a time, as the seconds that are left, 15 days at most and 1 at least': lifetime(15 * DAY, 1),
  'either word, with `silent`': {
    applies: (value, arrived) => !isEmpty(value) && isSilent(arrived),
    holds: (_, { headers }) => headers['apns-priority'] === '5',
  },
  'a member that is null': {
    applies: (value) => entriesOf(value).some(([, member]) => member === null),
    holds: (value, arrived) =>
      entriesOf(value).every(([name, member]) =>
        member !== null
          ? arrived.place === 'android' || canonical(dataIn(arrived)[name]) === canonical(member)
          : inside(dataIn(arrived), name) === undefined,
      ),
  },
  'members that are no texts': {
    applies: (value) => entriesOf(value).some(([, member]) => member !== null && typeof member !== 'string'),
    holds: (value, arrived) =>
      entriesOf(value).every(([name, member]) => member === null || isText(inside(dataIn(arrived), name), member)),
  },
  'members of any kind': {
    applies: (value) => entriesOf(value).length > 0,
    holds(value, arrived) {
      const data = dataIn(arrived)
      return entriesOf(value).every(([name, member]) => canonical(data[name]) === canonical(member))
    },
  },
}

/** The notification that a mobile application shows itself. */
function handedOver(arrived: Arrived): unknown {
  const text = inside(dataIn(arrived), '_notification')
  return typeof text === 'string' ? JSON.parse(text) : undefined
}

// Each member that is not for every platform, as each provider gets it: golden payloads, compared with what the vendors' libraries
// make of the same notification.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import apn from '@parse/node-apn'
import { NOTIFICATION_MEMBERS, PLATFORMS, type MessageBody, type Platform, type TokenKind } from '@push-server/contract'
import { readConfig } from '@push-server/runtime'
import type { Message } from 'firebase-admin/messaging'
import t from 'tap'
import { PROVIDERS, type PushMessage } from '../src/index.ts'

const NOW = Date.UTC(2026, 0, 1)
const CONFIG = readConfig({})

type Json = Record<string, unknown>

interface DraftOptions extends Partial<PushMessage> {
  device?: { token: string; tokenKind?: TokenKind }
}

function draftOf(platform: Platform, body: MessageBody, { device = { token: 'aabb' }, ...more }: DraftOptions = {}) {
  const message: PushMessage = { body, silent: false, priority: 'HIGH', ...more }
  const context = { config: CONFIG, appId: 'mobile-app', now: NOW }
  const settings = { bundle: 'com.example.app', category: 'WORK' }
  const draft = PROVIDERS[platform].draft(message, { ...device, settings }, context)
  return { ...draft, json: JSON.parse(draft.body) as Json }
}

const HUAWEI_SHOWN = { title: 'T', body: 'T', click_action: { type: 3 }, importance: 'HIGH', foreground_show: true }

const onIos = (more: Json, root: Json = {}) => ({ ...root, aps: { alert: { title: 'T' }, ...more } })
const onAndroid = (more: Json, { beside = {}, data }: { beside?: Json; data?: Json } = {}) => ({
  message: {
    token: 'aabb',
    ...(data && { data }),
    android: {
      priority: 'HIGH',
      notification: { title: 'T', notification_priority: 'PRIORITY_HIGH', ...more },
      ...beside,
    },
  },
})
const onHuawei = (more: Json, beside: Json = {}) => ({
  message: {
    android: { urgency: 'HIGH', ttl: '1296000s', notification: { ...HUAWEI_SHOWN, ...more }, ...beside },
    token: ['aabb'],
  },
})
const PLAIN = { ios: onIos({}), android: onAndroid({}), huawei: onHuawei({}) }

interface Golden {
  /** Beside a title. */
  body: MessageBody
  /** A platform that is left out gets what it would without the member. */
  ios?: Json
  android?: Json
  huawei?: Json
}

const at = '2026-01-01T13:00:00+01:00'

/** By the member that they are about; every member has at least one. */
const GOLDEN: readonly Golden[] = [
  { body: { subtitle: 'S' }, ios: onIos({ alert: { title: 'T', subtitle: 'S' } }) },
  {
    body: { subtitleLocKey: 'key', subtitleLocArgs: ['a', 'b'] },
    ios: onIos({ alert: { title: 'T', 'subtitle-loc-key': 'key', 'subtitle-loc-args': ['a', 'b'] } }),
  },
  { body: { subtitleLocArgs: ['a'] } },
  {
    body: { image: 'https://example.com/a.png' },
    ios: onIos({ 'mutable-content': 1 }, { image: 'https://example.com/a.png' }),
    android: onAndroid({ image: 'https://example.com/a.png' }),
    huawei: onHuawei({ image: 'https://example.com/a.png' }),
  },
  {
    body: { image: 'https://example.com/a.png', mutableContent: false },
    ios: onIos({}, { image: 'https://example.com/a.png' }),
    android: onAndroid({ image: 'https://example.com/a.png' }),
    huawei: onHuawei({ image: 'https://example.com/a.png' }),
  },
  {
    body: { link: 'https://example.com/pay' },
    ios: onIos({}, { link: 'https://example.com/pay' }),
    android: onAndroid({}, { data: { link: 'https://example.com/pay' } }),
    huawei: onHuawei({ click_action: { type: 2, url: 'https://example.com/pay' } }),
  },
  {
    body: { link: 'bank:pay', clickAction: 'PAY' },
    ios: onIos({}, { link: 'bank:pay' }),
    android: onAndroid({ click_action: 'PAY' }, { data: { link: 'bank:pay' } }),
    huawei: onHuawei({ click_action: { type: 1, intent: 'bank:pay' } }),
  },
  {
    body: { clickAction: 'PAY' },
    android: onAndroid({ click_action: 'PAY' }),
    huawei: onHuawei({ click_action: { type: 1, action: 'PAY' } }),
  },
  { body: { threadId: 'th' }, ios: onIos({ 'thread-id': 'th' }), huawei: onHuawei({ group: 'th' }) },
  {
    body: { tag: 'new', category: 'old' },
    ios: onIos({ category: 'old' }),
    android: onAndroid({ tag: 'new' }),
    huawei: onHuawei({ tag: 'new' }),
  },
  { body: { notifyId: 0 }, huawei: onHuawei({ notify_id: 0 }) },
  {
    body: { channelId: 'pay' },
    android: onAndroid({ channel_id: 'pay' }),
    huawei: onHuawei({ channel_id: 'pay' }),
  },
  { body: { hmsCategory: 'FINANCE' }, huawei: onHuawei({}, { category: 'FINANCE' }) },
  ...(
    [
      ['passive', 'PRIORITY_LOW', 'LOW'],
      ['active', 'PRIORITY_DEFAULT', 'NORMAL'],
      ['time-sensitive', 'PRIORITY_HIGH', 'HIGH'],
      ['critical', 'PRIORITY_MAX', 'HIGH'],
    ] as const
  ).map(([interruptionLevel, notification_priority, importance]): Golden => ({
    body: { interruptionLevel },
    ios: onIos({ 'interruption-level': interruptionLevel }),
    android: onAndroid({ notification_priority }),
    huawei: onHuawei({ importance }),
  })),
  {
    body: { criticalSound: { name: 'alarm.caf', volume: 0.5 }, sound: 'quiet.caf' },
    ios: onIos({ sound: { critical: 1, name: 'alarm.caf', volume: 0.5 }, 'interruption-level': 'critical' }),
    android: onAndroid({ sound: 'quiet.caf' }),
    huawei: onHuawei({ sound: 'quiet.caf' }),
  },
  {
    body: { criticalSound: {}, interruptionLevel: 'active' },
    ios: onIos({ sound: { critical: 1, name: 'default', volume: 1 }, 'interruption-level': 'active' }),
    android: onAndroid({ notification_priority: 'PRIORITY_DEFAULT' }),
    huawei: onHuawei({ importance: 'NORMAL' }),
  },
  { body: { relevanceScore: 0.25 }, ios: onIos({ 'relevance-score': 0.25 }) },
  { body: { targetContentId: 'scene' }, ios: onIos({ 'target-content-id': 'scene' }) },
  { body: { filterCriteria: 'work' }, ios: onIos({ 'filter-criteria': 'work' }) },
  { body: { mutableContent: true }, ios: onIos({ 'mutable-content': 1 }) },
  ...(
    [
      ['min', 'LOW'],
      ['low', 'LOW'],
      ['default', 'NORMAL'],
      ['high', 'HIGH'],
      ['max', 'HIGH'],
    ] as const
  ).map(([displayPriority, importance]): Golden => ({
    body: { displayPriority },
    android: onAndroid({ notification_priority: `PRIORITY_${displayPriority.toUpperCase()}` }),
    huawei: onHuawei({ importance }),
  })),
  {
    body: { visibility: 'secret' },
    android: onAndroid({ visibility: 'SECRET' }),
    huawei: onHuawei({ visibility: 'SECRET' }),
  },
  { body: { color: '#1A73e8' }, android: onAndroid({ color: '#1A73e8' }), huawei: onHuawei({ color: '#1A73e8' }) },
  { body: { ticker: 'tick' }, android: onAndroid({ ticker: 'tick' }), huawei: onHuawei({ ticker: 'tick' }) },
  { body: { sticky: true }, android: onAndroid({ sticky: true }) },
  {
    body: { localOnly: true },
    android: onAndroid({ local_only: true }),
    huawei: onHuawei({ local_only: true }),
  },
  {
    body: { eventTime: at },
    android: onAndroid({ event_time: '2026-01-01T12:00:00.000Z' }),
    huawei: onHuawei({ when: '2026-01-01T12:00:00.000Z' }),
  },
  {
    body: { vibrate: [500, 1_000, 1, 59_999] },
    android: onAndroid({ vibrate_timings: ['0.5s', '1s', '0.001s', '59.999s'] }),
    huawei: onHuawei({ vibrate_config: ['0.5', '1', '0.001', '59.999'] }),
  },
  { body: { directBootOk: true }, android: onAndroid({}, { beside: { direct_boot_ok: true } }) },
  {
    body: { bandwidthConstrainedOk: true },
    android: onAndroid({}, { beside: { bandwidth_constrained_ok: true } }),
  },
  { body: { restrictedSatelliteOk: true }, android: onAndroid({}, { beside: { restricted_satellite_ok: true } }) },
  { body: { foregroundShow: false }, huawei: onHuawei({ foreground_show: false }) },
  {
    body: { analyticsLabel: 'spring_26' },
    android: onAndroid({}, { beside: { fcm_options: { analytics_label: 'spring_26' } } }),
    huawei: onHuawei({}, { bi_tag: 'spring_26' }),
  },
  {
    body: { dataOnly: true },
    android: {
      message: {
        token: 'aabb',
        data: { _notification: JSON.stringify({ title: 'T', notification_priority: 'PRIORITY_HIGH' }) },
        android: { priority: 'HIGH' },
      },
    },
    huawei: {
      message: {
        data: JSON.stringify({
          _notification: JSON.stringify({
            title: 'T',
            click_action: { type: 3 },
            importance: 'HIGH',
            foreground_show: true,
          }),
        }),
        android: { urgency: 'HIGH', ttl: '1296000s' },
        token: ['aabb'],
      },
    },
  },
]

t.test('every member has a golden payload', async (t) => {
  const named = new Set(GOLDEN.flatMap(({ body }) => Object.keys(body)))
  t.same(
    Object.keys(NOTIFICATION_MEMBERS).filter((name) => !named.has(name)),
    [],
  )
})

t.test('golden payloads', async (t) => {
  for (const { body, ...expected } of GOLDEN)
    for (const platform of ['ios', 'android', 'huawei'] as const)
      t.strictSame(
        draftOf(platform, { title: 'T', ...body }).json,
        { ...PLAIN, ...expected }[platform],
        `${JSON.stringify(body)} on ${platform}`,
      )
})

t.test('silent messages have nothing of a notification', async (t) => {
  for (const { body } of GOLDEN.filter(({ body }) => !body.dataOnly)) {
    const { aps } = draftOf('ios', { title: 'T', ...body }, { silent: true }).json
    t.strictSame(
      aps,
      { 'content-available': 1, ...(body.threadId && { 'thread-id': body.threadId }) },
      `ios: ${JSON.stringify(body)}`,
    )
    for (const platform of ['android', 'huawei'] as const) {
      const { message } = draftOf(platform, { title: 'T', ...body }, { silent: true }).json as { message: Json }
      t.notOk(Object.hasOwn(message['android'] as Json, 'notification'), `${platform}: ${JSON.stringify(body)}`)
    }
  }
})

t.test('members that are null, or empty, are none', async (t) => {
  const none = [
    ...Object.keys(NOTIFICATION_MEMBERS).map((name) => ({ [name]: null })),
    ...TEXTS.map((name) => ({ [name]: '' })),
  ]
  for (const platform of PLATFORMS)
    for (const member of none)
      t.equal(
        draftOf(platform, { title: 'T', ...member }).body,
        draftOf(platform, { title: 'T' }).body,
        `${JSON.stringify(member)} on ${platform}`,
      )
})

const TEXTS = [
  'subtitle',
  'subtitleLocKey',
  'clickAction',
  'threadId',
  'tag',
  'channelId',
  'ticker',
  'targetContentId',
  'filterCriteria',
]

/** What node-apn sets by its own names. */
function byNodeApn({ title, ...body }: MessageBody): Json {
  const { criticalSound: critical, ...others } = body
  const given = Object.entries({
    title,
    subtitle: others.subtitle,
    subtitleLocKey: others.subtitleLocKey,
    subtitleLocArgs: others.subtitleLocKey ? others.subtitleLocArgs : undefined,
    sound: critical
      ? { critical: 1, name: critical.name ?? 'default', volume: critical.volume ?? 1 }
      : (others.sound ?? undefined),
    interruptionLevel: others.interruptionLevel ?? (critical ? 'critical' : undefined),
    relevanceScore: others.relevanceScore,
    targetContentIdentifier: others.targetContentId,
    filterCriteria: others.filterCriteria,
    threadId: others.threadId,
    category: others.category,
    mutableContent: others.mutableContent ?? (others.image ? true : undefined),
  }).filter(([, value]) => value !== undefined)
  const notification = new apn.Notification(Object.fromEntries(given))
  const { image, link } = others
  notification.payload = { ...(image && { image }), ...(link && { link }) }
  return JSON.parse(notification.compile()) as Json
}

t.test('APNs: as node-apn writes them', async (t) => {
  for (const { body } of GOLDEN) {
    const given = { title: 'T', ...body }
    t.strictSame(draftOf('ios', given).json, byNodeApn(given), JSON.stringify(body))
  }
})

const { resolve } = createRequire(import.meta.url)
const internal = createRequire(import.meta.url)(
  join(dirname(resolve('firebase-admin/messaging')), 'messaging-internal.js'),
) as { validateMessage(message: Message): void }

const PRIORITIES = { passive: 'low', active: 'default', 'time-sensitive': 'high', critical: 'max' } as const

/** What firebase-admin sends: its check turns a message into the one that is sent, in place. */
function byFirebase(body: MessageBody, target: { token: string } | { fid: string } = { token: 'aabb' }): Json {
  const { title, link, analyticsLabel: label } = body
  const notification = Object.entries({
    title,
    sound: body.sound,
    tag: body.tag ?? body.category,
    imageUrl: body.image,
    clickAction: body.clickAction,
    channelId: body.channelId,
    priority: body.displayPriority ?? (body.interruptionLevel ? PRIORITIES[body.interruptionLevel] : 'high'),
    visibility: body.visibility,
    color: body.color,
    ticker: body.ticker,
    sticky: body.sticky,
    localOnly: body.localOnly,
    eventTimestamp: body.eventTime ? new Date(body.eventTime) : undefined,
    vibrateTimingsMillis: body.vibrate && [...body.vibrate],
  }).filter(([, value]) => value !== undefined)
  const android = Object.entries({
    priority: 'high' as const,
    notification: Object.fromEntries(notification),
    directBootOk: body.directBootOk,
    bandwidthConstrainedOk: body.bandwidthConstrainedOk,
    restrictedSatelliteOk: body.restrictedSatelliteOk,
    fcmOptions: label ? { analyticsLabel: label } : undefined,
  }).filter(([, value]) => value !== undefined)
  const message = { ...target, ...(link && { data: { link } }), android: Object.fromEntries(android) }
  internal.validateMessage(message)
  return JSON.parse(JSON.stringify({ message })) as Json
}

/** The library writes nine digits after the point, words of enums in lower case and some names in camel case: proto's JSON takes either. */
const normal = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value).replaceAll(/"(fcmOptions|analyticsLabel)":/g, (name) =>
      name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    ),
    (name, part: unknown) => {
      if (typeof part !== 'string') return part
      if (/^\d+(\.\d+)?s$/.test(part)) return `${Number.parseFloat(part)}s`
      return name === 'priority' || name === 'visibility' ? part.toUpperCase() : part
    },
  )

t.test('FCM: as firebase-admin writes them', async (t) => {
  for (const { body } of GOLDEN.filter(({ body }) => !body.dataOnly)) {
    const given = { title: 'T', ...body }
    t.strictSame(normal(draftOf('android', given).json), normal(byFirebase(given)), JSON.stringify(body))
  }
})

t.test('FCM: to an installation id, as firebase-admin writes it', async (t) => {
  const fid = 'cWzL1yRkQ0mN0a9JcH7v2E'
  const device = { token: fid, tokenKind: 'fid' } as const
  for (const { body } of GOLDEN.filter(({ body }) => !body.dataOnly)) {
    const given = { title: 'T', ...body }
    const { json } = draftOf('android', given, { device })
    t.strictSame(normal(json), normal(byFirebase(given, { fid })), JSON.stringify(body))
  }
})

/** What a phone of HarmonyOS 5 gets more than of a title, by member; a member that is not here changes nothing. */
const HARMONY: Readonly<Record<string, { notification?: Json; pushOptions?: Json; isData?: true }>> = {
  image: { notification: { image: 'https://example.com/a.png' } },
  link: { notification: { clickAction: { actionType: 1, uri: 'https://example.com/op' } } },
  clickAction: { notification: { clickAction: { actionType: 1, action: 'PAY' } } },
  notifyId: { notification: { notifyId: 7 } },
  // printf %s op | sha256sum: the first 32 bits, without the highest one.
  tag: { notification: { notifyId: 0x03_7a_ea_ea } },
  hmsCategory: { notification: { category: 'FINANCE' } },
  foregroundShow: { notification: { foregroundShow: false } },
  analyticsLabel: { pushOptions: { biTag: 'spring' } },
  dataOnly: { isData: true },
}
const GIVEN: MessageBody = {
  image: 'https://example.com/a.png',
  link: 'https://example.com/op',
  clickAction: 'PAY',
  notifyId: 7,
  tag: 'op',
  hmsCategory: 'FINANCE',
  foregroundShow: false,
  analyticsLabel: 'spring',
  dataOnly: true,
}

t.test('HMS v3: golden payloads, and what has no place changes nothing', async (t) => {
  const device = { token: 'aabb', tokenKind: 'v3' } as const
  const notification = {
    category: 'WORK',
    title: 'T',
    body: 'T',
    clickAction: { actionType: 0 },
    appMessageId: 'm-1',
    foregroundShow: true,
  }
  for (const [name, { notification: more, pushOptions, isData }] of Object.entries(HARMONY)) {
    const { headers, json } = draftOf(
      'huawei',
      { title: 'T', [name]: GIVEN[name as keyof MessageBody] },
      { device, id: 'm-1' },
    )
    const shown = { ...notification, ...more }
    t.strictSame(
      json,
      {
        payload: isData
          ? { extraData: JSON.stringify({ _notification: JSON.stringify(shown) }) }
          : { notification: shown },
        pushOptions: { ttl: 1_296_000, ...pushOptions },
        target: { token: ['aabb'] },
      },
      name,
    )
    t.strictSame(headers, { 'push-type': isData ? '6' : '0' }, name)
  }
  const plain = draftOf('huawei', { title: 'T' }, { device, id: 'm-1' })
  for (const { body } of GOLDEN) {
    const others = Object.fromEntries(Object.entries(body).filter(([name]) => name !== 'sound' && !HARMONY[name]))
    t.strictSame(
      draftOf('huawei', { title: 'T', ...others }, { device, id: 'm-1' }).json,
      plain.json,
      JSON.stringify(others),
    )
  }
})

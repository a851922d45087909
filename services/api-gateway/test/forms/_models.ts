// What the reference server's clients read, as data: each of its operations with the members of its response in the two generations of its
// models, 1.7–1.9 and 1.10–2.x. The columns are closed; nothing here comes from the code that is tested.

/**
 * A type by its word, a list of one, or members. `count`: a whole number from 0; `id`: any whole number, as text beyond 2^53; `time`: UTC with three digits and
 * `+00:00`; `instant`: ISO 8601 with `Z`; `free`: any JSON without a null member. A name with `?` may be absent.
 */
export type Expected =
  | 'text'
  | 'truth'
  | 'count'
  | 'id'
  | 'time'
  | 'instant'
  | 'any'
  | 'free'
  | readonly [Expected]
  | { readonly [name: string]: Expected }

export const VERSION_FORMS = ['1.9', '1.10'] as const
export type VersionForm = (typeof VERSION_FORMS)[number]

export const named = (names: string, type: Expected): Record<string, Expected> =>
  Object.fromEntries(names.split(' ').map((name) => [name, type]))

const ok = (responseObject: Expected): Expected => ({ status: 'text', responseObject })
const page = (responseObject: Expected): Expected => ({ status: 'text', page: 'count', size: 'count', responseObject })
const ALONE: Expected = { status: 'text' }

const FAMILIES = {
  '1.9': {
    platforms: 'ios android huawei',
    settings: 'iosBundle? iosKeyId? iosTeamId? iosEnvironment? androidProjectId? huaweiProjectId?',
  },
  '1.10': {
    platforms: 'apns fcm hms',
    settings: 'apnsBundle? apnsKeyId? apnsTeamId? apnsEnvironment? fcmProjectId? hmsProjectId?',
  },
} as const

const COUNTERS = named('sent failed pending total', 'count')
const MESSAGE: Expected = {
  ...named('title? titleLocKey? body? bodyLocKey? icon? sound? category? collapseKey?', 'text'),
  'titleLocArgs?': ['text'],
  'bodyLocArgs?': ['text'],
  'badge?': 'count',
  'validUntil?': 'instant',
  'extras?': 'free',
}
const CAMPAIGN: Expected = { id: 'id', appId: 'text', sent: 'truth', message: MESSAGE }
const SUMMARY = { ...named('id type subject summary', 'text'), read: 'truth', timestampCreated: 'time' } as const
const INBOX: Expected = {
  ...SUMMARY,
  ...named('userId body', 'text'),
  'timestampRead?': 'time',
  applications: ['text'],
}

/** An object for SYNCHRONOUS; for the others see `ASYNCHRONOUS_RESPONSES`. */
const sentIn = (form: VersionForm) => ok({ mode: 'text', ...named(FAMILIES[form].platforms, COUNTERS) })

/** By method and path. */
export function responsesIn(form: VersionForm): Readonly<Record<string, Expected>> {
  const { platforms, settings } = FAMILIES[form]
  const application: Expected = { appId: 'text', ...named(platforms, 'truth') }
  const campaigns = '/push/campaign'
  const inbox = '/inbox/messages'
  return {
    'GET /push/service/status': ok({
      ...named('applicationName applicationDisplayName applicationEnvironment version', 'text'),
      ...named('buildTime timestamp', 'time'),
    }),
    'POST /push/device/create': ALONE,
    'POST /push/device/create/multi': ALONE,
    ...calls('POST DELETE', '/push/device/delete', ALONE),
    ...calls('POST PUT', '/push/device/status/update', ALONE),
    'POST /push/message/send': sentIn(form),
    'POST /push/message/batch/send': sentIn(form),
    [`POST ${campaigns}/create`]: ok({ id: 'id' }),
    ...calls('POST DELETE', `${campaigns}/{id}/delete`, ok({ deleted: 'truth' })),
    [`GET ${campaigns}/{id}/detail`]: ok(CAMPAIGN),
    [`GET ${campaigns}/list`]: ok([CAMPAIGN]),
    ...calls('POST PUT', `${campaigns}/{id}/user/add`, ALONE),
    [`GET ${campaigns}/{id}/user/list`]: page({ campaignId: 'id', users: ['text'] }),
    ...calls('POST DELETE', `${campaigns}/{id}/user/delete`, ALONE),
    [`POST ${campaigns}/send/test/{id}`]: ALONE,
    [`POST ${campaigns}/send/live/{id}`]: ALONE,
    'GET /admin/app/list': ok({ applicationList: [application] }),
    'GET /admin/app/unconfigured/list': ok({ applicationList: [{ appId: 'text' }] }),
    'POST /admin/app/detail': ok({ application, ...named(settings, 'text') }),
    'POST /admin/app/create': ok({ appId: 'text' }),
    ...Object.assign(
      {},
      ...['ios', 'android', 'huawei'].map((name) => calls('POST PUT', `/admin/app/${name}/update`, ALONE)),
      ...['ios', 'android', 'huawei'].map((name) => calls('POST DELETE', `/admin/app/${name}/remove`, ALONE)),
      ...['apns', 'fcm', 'hms'].map((name) => calls('POST PUT DELETE', `/admin/app/${name}`, ALONE)),
    ),
    [`POST ${inbox}`]: ok(INBOX),
    [`GET ${inbox}/list`]: page([SUMMARY]),
    [`GET ${inbox}/count`]: ok({ countUnread: 'count' }),
    [`GET ${inbox}/detail`]: ok(INBOX),
    [`POST ${inbox}/read`]: ok(INBOX),
    [`POST ${inbox}/read-all`]: ALONE,
  }
}

/** The document's own names for the same: they have the responses of their siblings. */
export const DOCUMENT_NAMES: Readonly<Record<string, string>> = {
  'DELETE /push/device/remove': 'DELETE /push/device/delete',
  'POST /push/device/remove': 'POST /push/device/delete',
  'PUT /inbox/messages/read': 'POST /inbox/messages/read',
  'PUT /inbox/messages/read-all': 'POST /inbox/messages/read-all',
}

const calls = (methods: string, path: string, response: Expected) =>
  Object.fromEntries(methods.split(' ').map((method) => [`${method} ${path}`, response]))

/** Of `send` and `batch/send` in the mode ASYNCHRONOUS, and in the mode null. */
export const ASYNCHRONOUS_RESPONSES = { ASYNCHRONOUS: ok({ mode: 'text' }), null: ok({}) } as const

const violations: Expected = [{ fieldName: 'text', hint: 'text' }]
/** Strict clients read an error of two members, and drop any other. */
export const ERROR: Expected = ok({ code: 'text', message: 'text' })
export const LISTED_ERROR: Expected = ok({ code: 'text', message: 'text', 'violations?': violations })

/** Where the reference server validates beans, and lists what it finds. */
export const LISTING: ReadonlySet<string> = new Set(
  ['huawei/update', 'huawei/remove', 'apns', 'fcm', 'hms']
    .flatMap((name) => ['POST', 'PUT', 'DELETE'].map((method) => `${method} /admin/app/${name}`))
    .filter((call) => !/^DELETE .*(apns|fcm|hms)$/.test(call))
    .concat(
      'POST /inbox/messages',
      ...['POST', 'PUT'].flatMap((method) => ['read', 'read-all'].map((name) => `${method} /inbox/messages/${name}`)),
    ),
)

/** No number and no truth value here is ever null, in any form and any operation: clients read them into primitives. */
export const PRIMITIVES: ReadonlySet<string> = new Set(
  'sent failed pending total deleted read page size countUnread'.split(' '),
)

/** Operations that the reference server does not have. They have one form, and whoever adds one adds it here. */
export const OURS: readonly string[] = [
  'POST /admin/app/remove',
  ...['ios', 'android', 'huawei', 'apns', 'fcm', 'hms'].flatMap((name) =>
    ['check', 'resume'].map((verb) => `POST /admin/app/${name}/${verb}`),
  ),
  ...['PUT', 'POST'].map((method) => `${method} /admin/app/huawei/account/update`),
  ...['DELETE', 'POST'].map((method) => `${method} /admin/app/huawei/account/remove`),
  'GET /push/device/list',
  'GET /push/device/history',
  'DELETE /inbox/messages',
  'DELETE /inbox/messages/{id}',
  ...['PUT', 'POST'].flatMap((method) => [
    `${method} /push/device/import`,
    `${method} /push/campaign/import`,
    `${method} /push/campaign/user/import`,
    `${method} /admin/app/import`,
    `${method} /admin/app/raw-blocks`,
    `${method} /inbox/messages/import`,
    `${method} /push/campaign/{id}/user/import`,
  ]),
  'GET /push/message/{id}',
  'POST /push/message/preview',
  'POST /push/campaign/preview',
  'DELETE /push/message/{id}',
  'POST /push/message/{id}/resend',
  ...['list', 'waiting', 'failed'].map((name) => `GET /push/message/${name}`),
  ...['schedule', 'unschedule', 'pause', 'resume', 'cancel'].map((verb) => `POST /push/campaign/{id}/${verb}`),
  ...['audience', 'progress', 'failures'].map((name) => `GET /push/campaign/{id}/${name}`),
]

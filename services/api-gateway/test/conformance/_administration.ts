// C-71 to C-79, and C-93: applications, their credentials under both families of names, and the envelope of errors.
import { randomUUID } from 'node:crypto'
import { APNS_SETTINGS, generateApnsKey, generateServiceAccount } from '@push-server/testing'
import { base64 } from '../_gateway.ts'
import { isOk, refusedWith, violates } from '../_watched-api.ts'
import { FAMILIES, inEachForm, type Check, type Checks, type Target } from './_target.ts'

const flagsWith = ({ form }: Pick<Target, 'form'>, ...set: string[]) =>
  Object.fromEntries(FAMILIES[form].map((name) => [name, set.includes(name)]))
const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)
const unknownText = (appId: string) => `Application credentials with entered ID: ${appId} does not exist`

/** Each platform under both of its names, with credentials of the right form and what is shown of them. */
const PAIRS = [
  {
    platform: 'ios',
    provider: 'apns',
    credentials: () => ({ ...APNS_SETTINGS, environment: 'production', privateKeyBase64: base64(generateApnsKey()) }),
    shown: { Bundle: APNS_SETTINGS.bundle, KeyId: APNS_SETTINGS.keyId, Environment: 'production' },
  },
  {
    platform: 'android',
    provider: 'fcm',
    credentials: () => ({ projectId: 'test-project', privateKeyBase64: base64(generateServiceAccount()) }),
    shown: { ProjectId: 'test-project' },
  },
  {
    platform: 'huawei',
    provider: 'hms',
    credentials: () => ({ projectId: 'HMS123', clientId: '100000001', clientSecret: 'a secret' }),
    shown: { ProjectId: 'HMS123' },
  },
] as const

const detailOf = async ({ api }: Target, appId: string, more: object = {}) =>
  (await api.post('/admin/app/detail', { appId, ...more })).body.responseObject

/** The ways to set and to remove, of the reference's older and newer versions. */
const updatesOf = (platform: string, provider: string) =>
  ['POST', 'PUT'].flatMap((method) =>
    [`/admin/app/${platform}/update`, `/admin/app/${provider}`].map((path) => ({ method, path })),
  )

/** `families`: the names that settings have in the form. */
const setUnderBothNames =
  (families: readonly string[]): Check =>
  async (t, target) => {
    for (const { platform, provider, credentials, shown } of PAIRS)
      for (const { method, path } of updatesOf(platform, provider)) {
        const appId = await target.makeApplication()
        isOk(t, await target.call(method, path, { appId, ...credentials() }), `${method} ${path}`)
        const { application, ...settings } = await detailOf(target, appId, { [`include${capital(platform)}`]: true })
        t.same(application, { appId, ...flagsWith(target, platform, provider) }, path)
        const names = [platform, provider].filter((name) => families.includes(name))
        t.match(settings, Object.fromEntries(names.flatMap((name) => prefixed(name, shown))), path)
        t.notMatch(JSON.stringify(settings), /privateKey|clientSecret|clientId/, 'no secret is shown')
      }
  }

const prefixed = (name: string, members: object) =>
  Object.entries(members).map(([member, value]: [string, unknown]): [string, unknown] => [`${name}${member}`, value])

/** The flags of a request have both names in every form; the response has those of its form. */
const showWhatIsRequested =
  (families: readonly string[]): Check =>
  async (t, target) => {
    const { api, appId } = target
    for (const { platform, provider } of PAIRS)
      for (const name of [platform, provider]) {
        const { application, ...shown } = await detailOf(target, appId, { [`include${capital(name)}`]: true })
        t.equal(application.appId, appId)
        const names = Object.keys(shown).filter((each) => each !== 'paused')
        const own = [platform, provider].filter((each) => families.includes(each))
        for (const each of own)
          t.ok(
            names.some((setting) => setting.startsWith(each)),
            `${name}: of ${each}`,
          )
        t.same(
          names.filter((setting) => !own.some((each) => setting.startsWith(each))),
          [],
          `${name} alone`,
        )
      }
    refusedWith(t, await api.post('/admin/app/detail', null), 'Request must not be null.')
    refusedWith(t, await api.post('/admin/app/detail', {}), 'App ID must not be null.')
    refusedWith(t, await api.post('/admin/app/detail', { appId: 'nowhere' }), unknownText('nowhere'))
  }

/** `members`: what there is beside the id. */
const listUnconfigured =
  (members: object): Check =>
  async (t, { api }) => {
    const { status, body } = await api.get('/admin/app/unconfigured/list')
    t.equal(status, 200)
    t.ok(Array.isArray(body.responseObject.applicationList))
    for (const each of body.responseObject.applicationList) t.same({ ...each, appId: '' }, { appId: '', ...members })
  }

export const administrationChecks: Checks = {
  ...inEachForm('C-71 every provider is set under both names (Admin provider paths)', FAMILIES, setUnderBothNames),
  'C-72 newer paths and Huawei name every error by its field': async (t, { api, call }) => {
    for (const path of ['/admin/app/apns', '/admin/app/fcm', '/admin/app/hms', '/admin/app/huawei/update']) {
      const { status, body } = await call('PUT', path, { appId: '', projectId: ' ' })
      t.same([status, body.responseObject.code], [400, 'ERROR_REQUEST'], path)
      const fields = body.responseObject.violations.map(({ fieldName }: { fieldName: string }) => fieldName)
      t.ok(fields.includes('requestObject.appId') && fields.length > 1, fields.join())
      violates(t, await api.post(path, null), ['requestObject', /null|object/], path)
    }
  },
  'C-73 every provider is removed, by body and by query': async (t, target) => {
    for (const { platform, provider, credentials } of PAIRS) {
      const appId = await target.makeApplication()
      for (const [method, path, object] of [
        ['POST', `/admin/app/${platform}/remove`, { appId }],
        ['DELETE', `/admin/app/${platform}/remove`, { appId }],
        ['DELETE', `/admin/app/${provider}?appId=${appId}`, undefined],
      ] as const) {
        isOk(t, await target.api.post(`/admin/app/${provider}`, { appId, ...credentials() }), 'set')
        const response = object ? await target.call(method, path, object) : await target.api.call(method, path)
        isOk(t, response, `${method} ${path}`)
        t.same((await detailOf(target, appId)).application, { appId, ...flagsWith(target) })
      }
      refusedWith(
        t,
        await target.call('DELETE', `/admin/app/${platform}/remove`, { appId: 'nowhere' }),
        unknownText('nowhere'),
      )
    }
  },
  'C-74 the older paths keep their texts': async (t, { api }) => {
    const ios = { appId: 'nowhere', bundle: 'b', keyId: 'k', teamId: 't' }
    for (const [path, object, text] of [
      ['ios/update', null, 'Request object must not be empty'],
      ['ios/update', {}, 'App ID must not be null.'],
      ['ios/update', { appId: 'nowhere' }, 'Bundle must not be empty.'],
      ['ios/update', { appId: 'nowhere', bundle: 'b' }, 'Key ID must not be empty.'],
      ['ios/update', { appId: 'nowhere', bundle: 'b', keyId: 'k' }, 'Team ID must not be empty.'],
      ['ios/update', ios, 'Private key must not be empty.'],
      ['ios/update', { ...ios, privateKeyBase64: 'AAAA' }, unknownText('nowhere')],
      ['android/update', { appId: 'nowhere' }, 'Project ID must not be empty.'],
      ['android/update', { appId: 'nowhere', projectId: 'p' }, 'Private key must not be empty.'],
      ['ios/remove', {}, 'App ID must not be null.'],
      ['android/remove', null, 'Request object must not be empty'],
    ] as const)
      refusedWith(t, await api.post(`/admin/app/${path}`, object), text)
  },
  'C-75 the environment is optional, in any case (Admin provider paths)': async (t, target) => {
    for (const path of ['/admin/app/ios/update', '/admin/app/apns']) {
      const appId = await target.makeApplication()
      const credentials = PAIRS[0].credentials()
      for (const [environment, shown] of [
        ['DEVELOPMENT', 'development'],
        ['production', 'production'],
        [null, undefined],
        [undefined, undefined],
      ] as const) {
        isOk(t, await target.call('PUT', path, { appId, ...credentials, environment }), `${path} ${environment}`)
        const detail = await detailOf(target, appId, { includeApns: true })
        t.equal(detail[target.form === '1.9' ? 'iosEnvironment' : 'apnsEnvironment'], shown)
      }
      violates(t, await target.call('PUT', path, { appId, ...credentials, environment: 'test' }), [
        'requestObject.environment',
        /one of/,
      ])
    }
  },
  'C-76 the list has the flags of every family that the form has': async (t, target) => {
    const appId = await target.makeApplication()
    const { body } = await target.api.get('/admin/app/list')
    const listed = body.responseObject.applicationList.find((each: { appId: string }) => each.appId === appId)
    t.same(listed, { appId, ...flagsWith(target) })
  },
  ...inEachForm(
    'C-77 detail shows what is requested, in either family (App detail flags)',
    FAMILIES,
    showWhatIsRequested,
  ),
  'C-78 an application is made once': async (t, { api }) => {
    const appId = `conformance ${randomUUID()}`
    t.same((await api.post('/admin/app/create', { appId })).body, { status: 'OK', responseObject: { appId } })
    refusedWith(t, await api.post('/admin/app/create', { appId }), 'Application already exists')
    refusedWith(t, await api.post('/admin/app/create', null), 'Request object must not be empty')
    refusedWith(t, await api.post('/admin/app/create', {}), 'App ID must not be null.')
  },
  ...inEachForm(
    'C-79 unconfigured applications (Unconfigured list)',
    { '1.9': {}, '1.10': {}, all: Object.fromEntries(FAMILIES.all.map((name) => [name, null])) },
    listUnconfigured,
  ),
  'C-93 the envelope of errors (Everything else about a request’s form; Other statuses)': async (t, { api, call }) => {
    const headers = { 'content-type': 'application/json' }
    for (const [name, response, status, code] of [
      ['a rule of the business', await api.post('/push/message/send', null), 400, 'ERROR_GENERIC'],
      ['the form', await call('PUT', '/admin/app/hms', {}), 400, 'ERROR_REQUEST'],
      ['malformed JSON', await api.call('POST', '/push/message/send', { body: '{', headers }), 400, 'ERROR_REQUEST'],
      ['no body', await api.call('POST', '/push/message/send'), 400, 'ERROR_REQUEST'],
      ['a missing parameter', await api.get('/inbox/messages/count'), 400, 'ERROR_REQUEST'],
      [
        'an unknown application',
        await api.get('/inbox/messages/count?userId=u&appId=nowhere'),
        400,
        'ERROR_APP_NOT_FOUND',
      ],
      ['an unknown message', await api.get('/inbox/messages/detail?id=nowhere'), 400, 'ERROR_MESSAGE_NOT_FOUND'],
      ['an unknown path', await api.get('/nowhere'), 404, 'ERROR_NOT_FOUND'],
      ['another method', await api.call('DELETE', '/push/message/send'), 405, 'ERROR_METHOD_NOT_ALLOWED'],
      [
        'another content type',
        await api.call('POST', '/push/message/send', { body: '{}', headers: { 'content-type': 'text/plain' } }),
        415,
        'ERROR_REQUEST',
      ],
    ] as const) {
      t.match(response, { status, body: { status: 'ERROR', responseObject: { code, message: /\S/ } } }, name)
      t.match(response.headers.get('content-type'), /^application\/json/, name)
    }
  },
}

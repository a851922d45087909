// Members that nobody reads: refused under `Prefer: handling=strict`, otherwise ignored and named in a header.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { SendMessageRequest, Wrapped } from '@push-server/contract'
import type { Response } from '@push-server/testing'
import { handlingOf, warningsOf } from '../src/plugins/preferences.ts'
import type { Schema } from '../src/validation/schema.ts'
import { strayMembers } from '../src/validation/stray-members.ts'
import { APP, BATCH, CREATE, device, json, newToken, openGateway, SEND } from './_gateway.ts'

const { api, stack, changesNothing, database } = await openGateway()
t.teardown(() => stack.close())

const CAMPAIGN = '/push/campaign/create'
const STRICT = { prefer: 'handling=strict' }
const call = (path: string, object: object, headers = {}, method = 'POST') =>
  api.call(method, path, json({ requestObject: object }, headers))
const namesOf = ({ body }: Response): string[] =>
  (body.responseObject?.violations ?? []).map(({ fieldName }: { fieldName: string }) => fieldName)
const warnings = ({ headers }: Response) => headers.get('x-push-warnings')
const sending = (message: object, more: object = {}) => ({ appId: APP, message: { userId: 'u', ...message }, ...more })

t.test('the preference as RFC 7240 writes it', async (t) => {
  const cases: [header: string | string[] | undefined, handling: string | undefined][] = [
    ['handling=strict', 'strict'],
    ['Handling = "STRICT"', 'strict'],
    ['respond-async, wait=10; handling=strict', 'strict'],
    ['handling=lenient, handling=strict', 'lenient'],
    [['return=minimal', 'handling=strict'], 'strict'],
    ['handling=stricter', undefined],
    ['mishandling=strict', undefined],
    [undefined, undefined],
  ]
  for (const [header, handling] of cases) t.equal(handlingOf(header), handling, String(header))
})

t.test('names in a header: escaped, at most 1024 bytes, the rest counted', async (t) => {
  t.equal(
    warningsOf(['requestObject.batch[0].titel', 'a,b\r\nSet-Cookie: x']),
    'requestObject.batch[0].titel, a%2Cb%0D%0ASet-Cookie%3A%20x',
  )
  t.equal(warningsOf(['ключ\ud800']), encodeURIComponent('ключ\ufffd'))
  const many = warningsOf(Array.from({ length: 50 }, (_, index) => `requestObject.message.body.unknownMember${index}`))
  t.ok(many.length <= 1_024, `${many.length}`)
  t.match(many, /, \+\d+$/)
  t.ok(warningsOf(Array.from({ length: 50 }, () => '€'.repeat(500))).length <= 1_024)
})

t.test('strays: unknown members, and where those in a wrong place belong', async (t) => {
  const schema = Wrapped(SendMessageRequest) as unknown as Schema
  const strays = (value: unknown) => strayMembers(schema, value).map(({ fieldName, hint }) => [fieldName, hint])
  const unknown = 'is not a member of this request'
  t.same(strays({ requestObject: sending({ body: { title: 'T', extras: { any: { thing: 1 } } } }) }), [])
  t.same(strays({ requestObject: sending({ title: 'T', body: { titel: 'T' }, attributes: null }), appId: 'a' }), [
    ['requestObject.message.title', 'belongs to requestObject.message.body'],
    ['requestObject.message.body.titel', unknown],
    ['appId', 'belongs to requestObject'],
  ])
  t.same(strays({ requestObject: { toString: 1, constructor: 2 } }), [
    ['requestObject.toString', unknown],
    ['requestObject.constructor', unknown],
  ])
  t.equal(strays(Object.fromEntries(Array.from({ length: 9_999 }, (_, index) => [`m${index}`, 1]))).length, 50)
})

t.test('strict: refused by name, and nothing is stored', async (t) => {
  const cases: [path: string, object: object, names: string[]][] = [
    [SEND, sending({ body: { titel: 'T' } }), ['requestObject.message.body.titel']],
    [SEND, sending({ title: 'T', body: {} }), ['requestObject.message.title']],
    [SEND, sending({ body: { title: 'T', icon: 'i' } }), ['requestObject.message.body.icon']],
    [
      SEND,
      sending({ body: { title: 'T', sound: 's' }, attributes: { silent: true } }),
      ['requestObject.message.body.title', 'requestObject.message.body.sound'],
    ],
    [
      SEND,
      sending({ body: { titleLocArgs: ['a'] } }, { sendAtt: 1 }),
      ['requestObject.sendAtt', 'requestObject.message.body.titleLocArgs'],
    ],
    [
      BATCH,
      {
        appId: APP,
        batch: [
          { userId: 'u', body: {} },
          { userId: 'u', body: { icon: 'i' }, x: 1 },
        ],
      },
      ['requestObject.batch[1].x', 'requestObject.batch[1].body.icon'],
    ],
    [
      CAMPAIGN,
      { appId: APP, message: { title: 'T', icon: 'i', titel: 1 } },
      ['requestObject.message.titel', 'requestObject.message.icon'],
    ],
    [CREATE, device({ platform: 'android', environment: 'production' }), ['requestObject.environment']],
    [CREATE, device({ tokn: 'x' }), ['requestObject.tokn']],
    ['/admin/app/create', { appId: randomUUID(), name: 'My application' }, ['requestObject.name']],
  ]
  await changesNothing(t, async () => {
    for (const [path, object, names] of cases) {
      const response = await call(path, object, STRICT)
      t.equal(response.status, 400, `${path}: ${JSON.stringify(response.body)}`)
      t.same(namesOf(response).toSorted(), names.toSorted(), path)
      t.equal(response.headers.get('preference-applied'), 'handling=strict')
      t.equal(warnings(response), null)
    }
  })
  t.same(await database.query('SELECT 1 FROM campaigns'), [])
})

t.test('otherwise: ignored, and named in a header; the body has no new member', async (t) => {
  const clean = await call(SEND, sending({ body: { title: 'T' } }))
  const response = await call(SEND, sending({ body: { title: 'T', icon: 'i', 'tïtel\r\n': 1 } }))
  t.equal(response.status, 200)
  t.equal(warnings(response), 'requestObject.message.body.t%C3%AFtel%0D%0A, requestObject.message.body.icon')
  t.equal(warnings(clean), null)
  t.equal(response.headers.get('preference-applied'), null)
  t.same(Object.keys(response.body.responseObject), Object.keys(clean.body.responseObject))
  t.equal(warnings(await call(CREATE, device({ token: newToken(), more: 1 }))), 'requestObject.more')
  t.equal(warnings(await api.get('/admin/app/list')), null)
})

t.test('strict, and nothing to refuse', async (t) => {
  const response = await call(SEND, sending({ body: { title: 'T', badge: 1, extras: { a: 1 } } }), STRICT)
  t.equal(response.status, 200, JSON.stringify(response.body))
  t.equal(response.headers.get('preference-applied'), 'handling=strict')
})

t.test('what one platform of the application makes use of is not ignored', async (t) => {
  const appId = `app-${randomUUID()}`
  await stack.configure(appId, ['ios', 'android'])
  const icon = { appId, message: { userId: 'u', body: { title: 'T', icon: 'i' } } }
  t.equal((await call(SEND, icon, STRICT)).status, 200)
  const none = `app-${randomUUID()}`
  await stack.configure(none, [])
  t.equal(
    (await call(SEND, { ...icon, appId: none }, STRICT)).status,
    200,
    'without credentials nothing is ignored by all',
  )
})

t.test('literal rules come first, and so do their codes', async (t) => {
  const texts: [path: string, object: object, text: RegExp][] = [
    [SEND, { appId: APP, message: { body: {} }, x: 1 }, /^Push message must contain a user ID\.$/],
    [SEND, sending({ body: {}, x: 1 }, { appId: 'nowhere' }), /^AppCredentials not found: nowhere$/],
    [SEND, { appId: APP, message: { userId: '', body: { x: 1 } } }, /^No userId was specified$/],
    [
      CAMPAIGN,
      { appId: 'nowhere', message: { x: 1 } },
      /^Application with a provided PowerAuth app ID does not exist: nowhere$/,
    ],
    [CREATE, { appId: APP, x: 1 }, /^Activation ID must not be null\.$/],
  ]
  for (const [path, object, text] of texts) {
    const { status, body } = await call(path, object, STRICT)
    t.match([status, body.responseObject], [400, { code: 'ERROR_GENERIC', message: text }], path)
  }
})

t.test('a callback of PowerAuth Server has members of its own, strict or not', async (t) => {
  const body = JSON.stringify({ activationId: 'a', activationStatus: 'ACTIVE', type: 'ACTIVATION_STATUS_CHANGE' })
  const headers = { 'content-type': 'application/json', ...STRICT }
  const response = await api.call('POST', '/push/device/status/update', { body, headers })
  t.match([response.status, warnings(response)], [200, null])
})

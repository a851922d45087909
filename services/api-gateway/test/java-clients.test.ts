// What clients in Java send in a format of their own: truth values and numbers as texts, repeated parameters, explicit nulls.
import t from 'tap'
import { APP, openGateway, SEND } from './_gateway.ts'

const { api, stack, database } = await openGateway()
t.teardown(() => stack.close())

const validUntilOf = async (id: string) => {
  const [row] = await database.query<{ seconds: number | null }>(
    'SELECT extract(epoch FROM valid_until)::float8 AS seconds FROM messages WHERE id = $1',
    [id],
  )
  return row?.seconds ?? null
}
const send = (message: object) =>
  api.post(SEND, { appId: APP, mode: 'ASYNCHRONOUS', message: { userId: 'u', ...message } })

t.test('truth values as texts', async (t) => {
  const attributes = { silent: 'true', personal: 'false' }
  const { status, body } = await send({ body: { title: 'Hello' }, attributes })
  t.equal(status, 200)
  const [row] = await database.query<object>('SELECT silent, personal FROM messages WHERE id = $1', [
    body.responseObject.messageIds[0],
  ])
  t.same(row, { silent: true, personal: false })
  const detail = await api.post('/admin/app/detail', { appId: APP, includeApns: 'true', includeIos: 'false' })
  t.ok(detail.body.responseObject.apnsBundle)
  for (const silent of ['TRUE', 'yes', '1', ''])
    t.equal((await send({ body: { title: 'Hello' }, attributes: { silent } })).status, 400, silent)
})

t.test('validUntil in every format of theirs', async (t) => {
  const SOON = Math.floor(Date.now() / 1000) + 3_600
  const times: [given: unknown, seconds: number | null][] = [
    ['', null],
    [null, null],
    [String(SOON), SOON],
    [`${SOON}.500000000`, SOON + 0.5],
    [SOON + 0.25, SOON + 0.25],
    [new Date(SOON * 1000).toISOString(), SOON],
  ]
  for (const [validUntil, seconds] of times) {
    const { status, body } = await send({ body: { title: 'Hello', validUntil } })
    t.equal(status, 200, String(validUntil))
    t.equal(await validUntilOf(body.responseObject.messageIds[0]), seconds, String(validUntil))
  }
  for (const validUntil of ['100000000000', '-5', '1e9', ' 5', 'soon'])
    t.match((await send({ body: { title: 'Hello', validUntil } })).body.responseObject.violations, [
      { fieldName: 'requestObject.message.body.validUntil' },
    ])
  t.equal((await send({ body: { title: 'Hello', badge: 3.7 } })).status, 400, 'what would be cut off is refused')
})

t.test('empty ids get the text that a Java client parses, in every form', async (t) => {
  const device = { appId: '', platform: 'ios', token: 'aa'.repeat(32), activationId: 'a', userId: 'u' }
  const refusals: [method: string, path: string, object: unknown, code: string, message: string][] = [
    ['POST', '/push/device/create', device, 'ERROR_GENERIC', 'Application with given ID does not exist'],
    [
      'POST',
      '/push/device/create/multi',
      { ...device, activationIds: ['a'] },
      'ERROR_GENERIC',
      'Application with given ID does not exist',
    ],
    [
      'POST',
      SEND,
      { appId: '', message: { userId: 'u', body: { title: 'x' } } },
      'ERROR_GENERIC',
      'AppCredentials not found: ',
    ],
    [
      'POST',
      '/push/campaign/create',
      { appId: '', message: { title: 'x' } },
      'ERROR_GENERIC',
      'Application with a provided PowerAuth app ID does not exist: ',
    ],
    [
      'DELETE',
      '/admin/app/apns?appId=',
      undefined,
      'ERROR_GENERIC',
      'Application credentials with entered ID:  does not exist',
    ],
    ['GET', '/inbox/messages/detail?id=', undefined, 'ERROR_MESSAGE_NOT_FOUND', 'Unable to fetch message: .'],
    ['GET', '/push/campaign/-1/detail', undefined, 'ERROR_GENERIC', 'Campaign with entered ID does not exist'],
    ['POST', '/push/campaign/send/live/-1', {}, 'ERROR_GENERIC', 'Campaign with entered ID does not exist'],
  ]
  for (const form of ['1.9', '1.10', 'all'])
    for (const [method, path, object, code, message] of refusals) {
      const response = await fetch(`${stack.api.url}${path}`, {
        method,
        headers: {
          'x-push-compatibility': form,
          ...(object !== undefined && { 'content-type': 'application/json' }),
        },
        ...(object !== undefined && { body: JSON.stringify({ requestObject: object }) }),
      })
      t.equal(response.status, 400)
      t.same(await response.json(), { status: 'ERROR', responseObject: { code, message } }, `${form}: ${path}`)
    }
})

t.test('a parameter that is repeated is a list', async (t) => {
  await api.post('/admin/app/create', { appId: 'second' })
  const inbox = { userId: 'u', subject: 'A subject', summary: 'A summary', body: 'A body', type: 'text' }
  for (const appId of [APP, 'second']) await api.post('/inbox/messages', { ...inbox, applications: [appId] })
  const listed = await api.get(`/inbox/messages/list?userId=u&applications=${APP}&applications=second`)
  t.equal(listed.status, 200)
  t.equal(listed.body.responseObject.length, 2)
})

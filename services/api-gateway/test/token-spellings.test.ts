// Push tokens as clients spell them: on iOS every spelling is one phone, on the other platforms every text is its own.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { APP, CREATE, newToken, openGateway, REMOVALS, json } from './_gateway.ts'
import { isOk, violates } from './_watched-api.ts'

const MULTI = '/push/device/create/multi'
const IMPORT = `/push/device/import?appId=${APP}`
const OBJECT = 'requestObject.token'

const { stack, database, api } = await openGateway()
t.teardown(stack.close)

const register = (token: string, more: object = {}, path = CREATE) =>
  api.post(path, { appId: APP, platform: 'ios', token, activationId: randomUUID(), userId: 'owner', ...more })
const importLine = (token: string, more: object = {}) =>
  api.call('PUT', IMPORT, {
    body: JSON.stringify({ userId: 'owner', activationId: randomUUID(), platform: 'ios', token, ...more }),
    headers: { 'content-type': 'application/x-ndjson' },
  })
const devices = (token: string) =>
  database.query<{ token: string; user: string }>(
    `SELECT token, user_id AS "user" FROM devices WHERE lower(translate(token, '<> ', '')) = $1 ORDER BY user_id`,
    [token],
  )

/** As NSData was printed once: `<AABBCCDD 00112233>`. */
const printed = (token: string) => `<${token.toUpperCase().replaceAll(/(.{8})(?=.)/g, '$1 ')}>`

t.test('iOS: one phone has one device, however its token is spelled', async (t) => {
  const token = newToken()
  isOk(t, await register(token.toUpperCase(), { userId: 'first' }), 'in capitals')
  isOk(t, await register(token, { userId: 'second' }), 'in small letters, for another user')
  t.same(await devices(token), [{ token, user: 'second' }])
  isOk(t, await register(printed(token), { userId: 'third' }), 'with brackets and blanks')
  t.same(await devices(token), [{ token, user: 'third' }])
  const activationIds = [randomUUID(), randomUUID()]
  isOk(t, await register(`\t${token.toUpperCase()}\n`, { activationIds, activationId: undefined }, MULTI), 'several')
  t.equal((await devices(token)).length, 2)
})

t.test('iOS: an import stores the spelling that a registration would', async (t) => {
  const token = newToken()
  const activationId = randomUUID()
  const counted = { imported: 1, updated: 0, kept: 0, failed: 0, errors: [] }
  t.same((await importLine(printed(token), { activationId })).body.responseObject, counted)
  t.same(await devices(token), [{ token, user: 'owner' }])
  const again = await importLine(token.toUpperCase(), { activationId })
  t.same(again.body.responseObject, { ...counted, imported: 0, kept: 1 }, 'nothing new')
})

for (const { method, path } of REMOVALS)
  t.test(`iOS: ${method} ${path} removes every spelling`, async (t) => {
    for (const [stored, named] of [
      ['registered in capitals', (token: string) => [token.toUpperCase(), token]],
      ['registered with brackets', (token: string) => [printed(token), token.toUpperCase()]],
      ['removed with brackets', (token: string) => [token, printed(token)]],
    ] as const) {
      const token = newToken()
      const [first = '', second = ''] = named(token)
      isOk(t, await register(first), stored)
      isOk(t, await api.call(method, path, json({ requestObject: { appId: APP, token: second } })), stored)
      t.same(await devices(token), [], stored)
    }
  })

t.test('other platforms: each text is a token of its own', async (t) => {
  const token = `fcm:${newToken()}`
  isOk(t, await register(token, { platform: 'android', userId: 'first' }), 'small')
  isOk(t, await register(token.toUpperCase(), { platform: 'android', userId: 'second' }), 'in capitals')
  const stored = async () =>
    (
      await database.query<{ token: string }>('SELECT token FROM devices WHERE lower(token) = $1 ORDER BY 1', [token])
    ).map((row) => row.token)
  t.same(await stored(), [token.toUpperCase(), token])
  isOk(t, await api.post('/push/device/remove', { appId: APP, token }), 'removed')
  t.same(await stored(), [token.toUpperCase()], 'and the other stays')
})

t.test('other platforms: a blank, a control character or a letter beyond ASCII is refused, and named', async (t) => {
  for (const platform of ['android', 'huawei'])
    for (const token of [' abc', 'abc ', 'abc\n', '\u0001abc', 'abc\u0085', ' ', 'abc\u00a0', 'a b', 'äbc']) {
      const name = JSON.stringify(token)
      const hint = token === ' ' ? /^must not be blank$/ : /^must be printable ASCII without blanks$/
      violates(t, await register(token, { platform }), [OBJECT, hint])
      violates(t, await register(token, { platform, activationIds: [randomUUID()], activationId: undefined }, MULTI), [
        OBJECT,
        hint,
      ])
      const { body } = await importLine(token, { platform })
      t.match(body.responseObject.violations, [{ fieldName: 'line 1: token', hint }], name)
    }
})

t.test('what counts is the length of what is stored', async (t) => {
  const longest = 'A1'.repeat(512)
  isOk(t, await register(printed(longest)), 'brackets and blanks do not count')
  violates(t, await register(`${longest}a`), [OBJECT, /^size must be at most 1024$/])
  violates(t, await register('x'.repeat(1025), { platform: 'android' }), [OBJECT, /^size must be at most 1024$/])
  violates(t, await register('< >'), [OBJECT, /^must not be empty$/])
  violates(t, await register('<xyz>'), [OBJECT, /^must be hexadecimal on ios$/])
  isOk(t, await register('~'.repeat(1024), { platform: 'android' }), 'the longest')
})

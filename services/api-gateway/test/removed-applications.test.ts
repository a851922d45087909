// What an application leaves behind when it is removed: nothing that opens the next one of its name.
import { randomBytes, randomUUID } from 'node:crypto'
import { SCOPES } from '@push-server/contract'
import { createApi, makeApiKey, openTestStack } from '@push-server/testing'
import t from 'tap'
import { device, newToken } from './_gateway.ts'
import { isOk, refusedWith } from './_watched-api.ts'

const NOT_ACTIVE = 'Device registration failed because associated activation is not ACTIVE'
const CREATE = '/push/device/create'
const BOOTSTRAP = `admin.${randomBytes(32).toString('hex')}`

const stack = await openTestStack({ services: ['gateway'], environment: { API_KEY_BOOTSTRAP: BOOTSTRAP } })
t.teardown(stack.close)
const { context, database } = stack

const clientOf = (key: string) => createApi(stack.api.url, { authorization: `Bearer ${key}` })
const admin = clientOf(BOOTSTRAP)

async function makeKey(...appIds: string[]): Promise<{ id: string; client: ReturnType<typeof clientOf> }> {
  const key = await makeApiKey(context, { scopes: SCOPES, appIds })
  return { id: key.split('.')[0] ?? '', client: clientOf(key) }
}

async function makeApplication(appId: string = randomUUID()): Promise<string> {
  isOk(t, await admin.post('/admin/app/create', { appId }), 'created')
  return appId
}
const remove = async (appId: string) => isOk(t, await admin.post('/admin/app/remove', { appId }), 'removed')

const detail = async (client: ReturnType<typeof clientOf>, appId: string) =>
  (await client.post('/admin/app/detail', { appId })).status

const keyRow = async (id: string) => {
  const [row] = await database.query<{ appIds: string[]; revoked: boolean }>(
    'SELECT app_ids AS "appIds", revoked_at IS NOT NULL AS revoked FROM api_keys WHERE id = $1',
    [id],
  )
  return row
}

t.test('a key that was for it alone is revoked, and does not open the next one of its name', async (t) => {
  const appId = await makeApplication()
  const { id, client } = await makeKey(appId)
  t.equal(await detail(client, appId), 200)
  await remove(appId)
  t.same(await keyRow(id), { appIds: [appId], revoked: true }, 'and its list is not emptied')
  t.equal(await detail(client, appId), 401)
  await makeApplication(appId)
  t.equal(await detail(client, appId), 401, 'nor the next one')
})

t.test('a key that is for others too keeps those', async (t) => {
  const [appId, other] = [await makeApplication(), await makeApplication()]
  const { id, client } = await makeKey(appId, other)
  await remove(appId)
  await makeApplication(appId)
  t.same(await keyRow(id), { appIds: [other], revoked: false })
  t.equal(await detail(client, appId), 403)
  t.equal(await detail(client, other), 200)
  await remove(other)
  t.same(await keyRow(id), { appIds: [other], revoked: true }, 'the last of them ends it')
})

t.test('a key for all applications stays one', async (t) => {
  const appId = await makeApplication()
  const { id, client } = await makeKey()
  await remove(appId)
  t.same(await keyRow(id), { appIds: [], revoked: false })
  t.equal(await detail(client, await makeApplication()), 200)
})

t.test(
  'beside processes of the version before: their keys go by name, to an application that was there first',
  async (t) => {
    const appId = await makeApplication()
    const { id, client } = await makeKey(appId)
    await database.query('DELETE FROM api_key_applications WHERE key_id = $1', [id])
    t.equal(await detail(client, appId), 200, 'a key that knows names alone')
    // As they remove an application.
    await database.query('UPDATE applications SET app_id = NULL WHERE app_id = $1', [appId])
    await makeApplication(appId)
    context.access.forget()
    t.equal(await detail(client, appId), 401, 'the next one is younger than the key')

    const bound = await makeKey(appId)
    await database.query('UPDATE applications SET app_id = NULL WHERE app_id = $1', [appId])
    await makeApplication(appId)
    t.equal(await detail(bound.client, appId), 401, 'a key that knows the row')

    const named = await makeKey(appId)
    await database.query('DELETE FROM api_key_applications WHERE key_id = $1', [named.id])
    await remove(appId)
    t.same(await keyRow(named.id), { appIds: [appId], revoked: true }, 'our removal takes it off by its name too')
  },
)

t.test('an activation is forgotten with its application', async (t) => {
  const [appId, other] = [await makeApplication(), await makeApplication()]
  const activationId = randomUUID()
  const register = (more: object) => admin.post(CREATE, device({ appId, activationId, token: newToken(), ...more }))
  const known = async () =>
    (await context.store.activations.find([activationId])).map(({ userId, applicationId }) => [userId, applicationId])
  isOk(t, await register({ userId: 'first' }), 'registered')
  isOk(t, await register({ userId: undefined }), 'and known from then on')
  t.same(await known(), [['first', appId]])
  await remove(appId)
  t.same(await known(), [])
  await makeApplication(appId)
  refusedWith(t, await register({ userId: undefined }), NOT_ACTIVE)
  t.same(
    await database.query('SELECT 1 FROM devices JOIN applications a ON a.id = application_id WHERE a.app_id = $1', [
      appId,
    ]),
    [],
  )
  isOk(t, await register({ userId: 'second' }), 'who names its user makes it anew')
  t.same(await known(), [['second', appId]])
  refusedWith(
    t,
    await register({ appId: other }),
    'Device registration failed because activation belongs to another application',
  )
})

t.test(
  'beside processes of the version before: their activations go by name, to an application that was there first',
  async (t) => {
    const appId = await makeApplication()
    const activationId = randomUUID()
    await database.query(
      "INSERT INTO activations (activation_id, user_id, status, application_id) VALUES ($1, 'first', 'ACTIVE', $2)",
      [activationId, appId],
    )
    const register = () => admin.post(CREATE, device({ appId, activationId, token: newToken(), userId: undefined }))
    isOk(t, await register(), 'known by name')
    await database.query('UPDATE activations SET application_row = NULL WHERE activation_id = $1', [activationId])
    await remove(appId)
    await makeApplication(appId)
    refusedWith(t, await register(), NOT_ACTIVE)
  },
)

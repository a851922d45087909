// The log of devices: no statement that changes devices leaves it out, none writes a token, and it goes when it is old.
import t from 'tap'
import { registeredStatements } from '../src/connection/statement.ts'
import {
  insertDevice,
  makeApplication,
  newToken,
  openFixture,
  openTransaction,
  registration,
  whileBlocked,
} from './_fixtures.ts'

const DAY = 86_400_000

const fixture = await openFixture()
const { database, store } = fixture
t.teardown(() => fixture.close())

const eventsOf = (applicationId: number) =>
  database.query<{ event: string; reason: string | null }>(
    'SELECT event, reason FROM device_events WHERE application_id = $1 ORDER BY id',
    [applicationId],
  )

/** Statements that change devices and write no event. */
const SILENT: Readonly<Record<string, string>> = {
  'removal-clear-devices': 'the application is gone, and its log with it',
  'respelling-respell': 'the token stays the same, in another spelling',
}

t.test('every statement that changes devices writes their events, and no other one does', async (t) => {
  const changing = /\b(?:INSERT INTO|UPDATE|DELETE FROM) devices\b/
  const statements = [...registeredStatements()].map(([name, { text }]) => ({ name, text }))
  const writers = statements.filter(({ text }) => changing.test(text)).map(({ name }) => name)
  const logging = statements.filter(({ text }) => text.includes('INSERT INTO device_events')).map(({ name }) => name)
  t.ok(writers.length > 8, `${writers.length} statements change devices`)
  t.same(
    writers.filter((name) => !logging.includes(name)).toSorted(),
    Object.keys(SILENT).toSorted(),
    'those that write none are listed',
  )
  t.same(
    logging.filter((name) => !writers.includes(name)),
    [],
    'in the same statement',
  )
  for (const name of ['chunk-record', 'run-chunk-record', 'chunk-settle-unrecordable'])
    t.notOk(logging.includes(name), `${name}: without dead tokens nothing is added`)
})

t.test('the columns are closed: there is no room for a token', async (t) => {
  const columns = await database.query<{ name: string }>(
    "SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'device_events' ORDER BY 1",
  )
  t.same(
    columns.map(({ name }) => name),
    [
      'activation_id',
      'active',
      'application_id',
      'created_at',
      'device_id',
      'event',
      'former_activation_id',
      'former_user_id',
      'id',
      'platform',
      'reason',
      'user_id',
    ],
  )
})

t.test('a device under another spelling of its token goes with a reason', async (t) => {
  const { id } = await makeApplication(fixture)
  const token = newToken()
  await insertDevice(fixture, registration(id, { token: token.toUpperCase() }))
  await database.query("UPDATE devices SET registered_at = now() - interval '1 day' WHERE application_id = $1", [id])
  await insertDevice(fixture, registration(id, { token }))
  while (await store.deviceRespelling.step());
  t.same(await eventsOf(id), [{ event: 'removed', reason: 'OtherSpelling' }])
})

t.test('a status that two report at once is one event', async (t) => {
  const { id } = await makeApplication(fixture)
  const device = registration(id)
  await store.devices.register([device], { several: 'refuse' })
  const other = await openTransaction(t, fixture)
  await other.query('UPDATE devices SET active = active WHERE activation_id = $1', [device.activationId])
  const both = Promise.all([1, 2].map(() => store.devices.setStatus(device.activationId, 'BLOCKED')))
  await whileBlocked(fixture, 2, both)
  await other.query('COMMIT')
  await both
  t.same(await eventsOf(id), [
    { event: 'registered', reason: null },
    { event: 'status-changed', reason: 'BLOCKED' },
  ])
})

t.test('events go at their age, so many at a time; those of a removed application at once', async (t) => {
  await database.query('DELETE FROM device_events')
  const { id, appId } = await makeApplication(fixture)
  for (let count = 0; count < 5; count++) await store.devices.register([registration(id)], { several: 'refuse' })
  await database.query(
    `UPDATE device_events SET created_at = now() - interval '91 days'
     WHERE id IN (SELECT id FROM device_events ORDER BY id LIMIT 3)`,
  )
  const { retention } = store
  t.equal(await retention.removeDeviceEvents(92 * DAY, 500), 0)
  t.equal(await retention.removeDeviceEvents(90 * DAY, 2), 2)
  t.equal(await retention.removeDeviceEvents(90 * DAY, 2), 1)
  t.equal(await retention.removeDeviceEvents(90 * DAY, 2), 0)
  t.equal((await eventsOf(id)).length, 2)
  await store.applicationRemovals.begin(appId)
  while (await store.applicationRemovals.clear(1));
  t.same(await eventsOf(id), [])
})

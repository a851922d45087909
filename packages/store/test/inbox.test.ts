// Inbox messages that several applications show, when two let go of them at once. A connection of the test's own makes the race certain.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { makeApplication, openFixture, openTransaction, whileBlocked } from './_fixtures.ts'

const fixture = await openFixture()
const { database, store } = fixture
t.teardown(() => fixture.close())

async function shownByTwo() {
  const [one, other] = [await makeApplication(fixture), await makeApplication(fixture)]
  const texts = { userId: 'user', type: 'text', subject: 's', summary: 's', body: 'b' } as const
  const message = await store.inbox.create({ ...texts, appIds: [one.appId, other.appId], validUntil: null })
  if (!message) throw new Error('No message was stored')
  return { one, other, id: message.id }
}

const rows = (id: string) => database.query('SELECT 1 FROM inbox_messages WHERE public_id = $1', [id])

for (const [name, letGo] of [
  ['a deletion', ({ appId }) => store.inbox.deleteAll({ userId: 'user', appId })],
  [
    'the removal of an application',
    async ({ appId }) => {
      await store.applicationRemovals.begin(appId)
      while (await store.applicationRemovals.clear(10));
    },
  ],
] as [string, (application: { appId: string }) => Promise<unknown>][])
  t.test(`${name} waits for one that has just begun: the message is not left to nobody`, async (t) => {
    const { one, other, id } = await shownByTwo()
    const client = await openTransaction(t, fixture)
    // As a deletion does it for the first application.
    await client.query('SELECT 1 FROM inbox_messages WHERE public_id = $1 FOR UPDATE', [id])
    await client.query('DELETE FROM inbox_message_applications WHERE application_id = $1', [one.id])
    const second = letGo(other)
    await whileBlocked(fixture, 1, second)
    await client.query('COMMIT')
    await second
    t.same(await rows(id), [])
  })

t.test('an import meets a deletion that has just begun: the message does not come back', async (t) => {
  const { id: applicationId } = await makeApplication(fixture)
  const id = randomUUID()
  const row = { line: 1, id, userId: 'user', type: 'text', subject: 's', summary: 's', body: 'b' } as const
  const times = { createdAt: new Date(), readAt: null, validUntil: null }
  const bring = async () => {
    const file = store.openInboxImport()
    t.teardown(() => file.close())
    await file.stage([{ ...row, ...times, applicationIds: [applicationId] }])
    await file.dropForeign(1)
    return file.apply({ dryRun: false, signal: new AbortController().signal, maxAge: undefined })
  }
  t.match(await bring(), { imported: 1 })
  const client = await openTransaction(t, fixture)
  // As a deletion does it.
  await client.query('DELETE FROM inbox_messages WHERE public_id = $1', [id])
  await client.query('INSERT INTO deleted_inbox_messages (public_id) VALUES ($1)', [id])
  const second = bring()
  await whileBlocked(fixture, 1, second)
  await client.query('COMMIT')
  t.same(await second, { imported: 0, updated: 0, kept: 1 })
  t.same(await rows(id), [])
})

// The scheduler rewrites what earlier versions have left, while the other services work.
import { randomUUID } from 'node:crypto'
import { APP, openTestStack, waitFor } from '@push-server/testing'
import t from 'tap'

const newToken = () => `${randomUUID()}${randomUUID()}`.replaceAll('-', '')

t.test('iOS tokens of a process of the version before are respelled, and each phone gets one push', async (t) => {
  const stack = await openTestStack()
  t.teardown(() => stack.close())
  await stack.configure()
  const { api, database } = stack
  const [token, lone] = [newToken(), newToken()]
  await stack.register({ userId: 'first', token, activationId: 'first' })
  for (const [userId, spelling] of [
    ['second', token.toUpperCase()],
    ['lone', lone.toUpperCase()],
  ])
    await database.query(
      `INSERT INTO devices (application_id, activation_id, user_id, platform, token, active, bucket)
       SELECT id, $1, $1, 'ios', $2, true, 0 FROM applications WHERE app_id = $3`,
      [userId, spelling, APP],
    )
  const send = async (userId: string) => {
    const { body } = await api.post('/push/message/send', {
      appId: APP,
      mode: 'SYNCHRONOUS',
      message: { userId, body: { title: 'Hello' } },
    })
    return body.responseObject.result.ios
  }
  t.match(await send('first'), { total: 0 }, 'the phone is the other user’s, respelled or not')
  t.match(await send('second'), { total: 1, sent: 1 })
  t.match(await send('lone'), { total: 1, sent: 1 })
  await waitFor('the tokens to be respelled', async () => {
    const rows = await database.query(
      'SELECT 1 FROM devices WHERE token <> lower(token) UNION ALL SELECT 1 FROM device_respellings',
    )
    return rows.length === 0
  })
  t.same(await database.query('SELECT user_id AS user, token FROM devices ORDER BY 1'), [
    { user: 'lone', token: lone },
    { user: 'second', token },
  ])
  t.match(await send('second'), { total: 1, sent: 1 })
  t.match(await send('first'), { total: 0 })
})

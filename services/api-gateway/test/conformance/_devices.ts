// C-01 to C-29: service status, and registrations as messages show them.
import { randomUUID } from 'node:crypto'
import { json, newToken, REMOVALS } from '../_gateway.ts'
import { isOk, refusedWith, violates } from '../_watched-api.ts'
import { TIMESTAMP, type Check, type Checks, type Target } from './_target.ts'

const CREATE = '/push/device/create'
const MULTI = '/push/device/create/multi'
const NOT_ACTIVE = 'Device registration failed because associated activation is not ACTIVE'
const SHARED =
  'Multiple device registrations found for push token. Use the /push/device/create/multi endpoint for this scenario.'

/** Everything that an earlier rule requires is there, nothing that a later one requires. */
const refused =
  (path: string, text: string, ...objects: readonly unknown[]): Check =>
  async (t, { api }) => {
    for (const object of objects)
      refusedWith(t, await api.post(path, object), text, `${JSON.stringify(object)}: ${text}`)
  }

const ids = (count: number) => Array.from({ length: count }, () => randomUUID())
const multi = ({ api, appId }: Target, activationIds: unknown, more: object) =>
  api.post(MULTI, { appId, platform: 'ios', token: newToken(), activationIds, ...more })

const known = { appId: 'nowhere', activationId: 'x', platform: 'ios' }

export const deviceChecks: Checks = {
  'C-01 service status': async (t, { api }) => {
    const { status, body } = await api.get('/push/service/status')
    t.equal(status, 200)
    t.match(body, {
      status: 'OK',
      responseObject: {
        applicationName: 'powerauth-push',
        applicationDisplayName: String,
        applicationEnvironment: String,
        version: /^\d+\.\d+\.\d+/,
        buildTime: TIMESTAMP,
        timestamp: TIMESTAMP,
      },
    })
  },
  'C-02 create without an object': refused(CREATE, 'Request object must not be empty', null, undefined),
  'C-03 create without an application': refused(CREATE, 'App ID must not be null.', {}, { ...known, appId: null }),
  'C-04 create without an activation': refused(CREATE, 'Activation ID must not be null.', { appId: 'nowhere' }),
  'C-05 create without a platform': refused(CREATE, 'Platform must not be null.', {
    appId: 'nowhere',
    activationId: 'x',
  }),
  'C-06 create without a token': refused(
    CREATE,
    'Push token must not be null or empty.',
    known,
    { ...known, token: null },
    { ...known, token: '' },
  ),
  'C-07 create in an unknown application': refused(CREATE, 'Application with given ID does not exist', {
    ...known,
    token: 'aabb',
  }),
  'C-08 create for an activation that nobody knows (Local activation registry)': async (t, { api, appId }) => {
    const object = { appId, platform: 'ios', token: newToken(), activationId: randomUUID() }
    refusedWith(t, await api.post(CREATE, object), NOT_ACTIVE)
  },
  'C-09 create on a token that several activations share comes before the activation': async (t, target) => {
    const token = newToken()
    isOk(t, await multi(target, ids(2), { token, userId: randomUUID() }), 'shared')
    const object = { appId: target.appId, platform: 'ios', token, activationId: randomUUID() }
    refusedWith(t, await target.api.post(CREATE, object), SHARED)
  },
  'C-10 a new device': async (t, { register, reach }) => {
    const userId = randomUUID()
    isOk(t, await register({ userId, token: newToken(), activationId: randomUUID() }), 'registered')
    t.equal(await reach(userId), 1)
  },
  'C-11 the same again': async (t, { register, reach }) => {
    const device = { userId: randomUUID(), token: newToken(), activationId: randomUUID() }
    for (const time of ['once', 'twice']) isOk(t, await register(device), time)
    t.equal(await reach(device.userId), 1)
  },
  'C-12 the same activation with a new token': async (t, { register, reach }) => {
    const device = { userId: randomUUID(), activationId: randomUUID() }
    for (const token of [newToken(), newToken()]) isOk(t, await register({ ...device, token }), token)
    t.equal(await reach(device.userId), 1)
  },
  'C-13 a new activation on the same token': async (t, { register, reach }) => {
    const [before, after] = [randomUUID(), randomUUID()]
    const token = newToken()
    for (const userId of [before, after])
      isOk(t, await register({ userId, token, activationId: randomUUID() }), `registered by ${userId}`)
    t.same([await reach(before), await reach(after)], [0, 1])
  },
  'C-14 five at once': async (t, { register, reach }) => {
    const device = { userId: randomUUID(), token: newToken(), activationId: randomUUID() }
    const responses = await Promise.all(Array.from({ length: 5 }, () => register(device)))
    for (const response of responses) isOk(t, response, 'one of five')
    t.equal(await reach(device.userId), 1)
  },
  'C-16 multi: null and empty lists apart': async (t, target) => {
    await refused(MULTI, 'Activation ID list must not be null.', { appId: 'nowhere', activationIds: null })(t, target)
    const empty = 'Activation ID list must not empty.'
    await refused(MULTI, empty, { appId: 'nowhere' }, { appId: 'nowhere', activationIds: [] })(t, target)
    await refused(MULTI, 'Request object must not be empty', null)(t, target)
    await refused(MULTI, 'Platform must not be null.', { appId: 'nowhere', activationIds: ['x'] })(t, target)
  },
  'C-17 multi: one activation named twice': async (t, target) => {
    const userId = randomUUID()
    const [a = '', b = ''] = ids(2)
    isOk(t, await multi(target, [a, b, a], { userId }), 'registered')
    t.same([await target.reach(userId, a), await target.reach(userId, b)], [1, 1])
  },
  'C-18 multi: the same, with the same or a new token': async (t, target) => {
    const userId = randomUUID()
    const [a = '', b = ''] = ids(2)
    const token = newToken()
    for (const more of [{ token }, { token }, { token: newToken() }])
      isOk(t, await multi(target, [a, b], { userId, ...more }), 'registered')
    t.equal(await target.reach(userId), 1, 'one push for one token')
    t.same([await target.reach(userId, a), await target.reach(userId, b)], [1, 1])
  },
  'C-19 multi: two others on the token make way': async (t, target) => {
    const userId = randomUUID()
    const token = newToken()
    const [a = '', b = '', c = '', d = ''] = ids(4)
    isOk(t, await multi(target, [a, b], { userId, token }), 'registered')
    isOk(t, await multi(target, [c, d], { userId, token }), 'replaced')
    t.same(await Promise.all([a, b, c, d].map((id) => target.reach(userId, id))), [0, 0, 1, 1])
  },
  'C-20 multi: one of two is replaced': async (t, target) => {
    const userId = randomUUID()
    const token = newToken()
    const [a = '', b = '', c = ''] = ids(3)
    isOk(t, await multi(target, [a, b], { userId, token }), 'registered')
    isOk(t, await multi(target, [b, c], { userId, token }), 'replaced')
    t.same(await Promise.all([a, b, c].map((id) => target.reach(userId, id))), [0, 1, 1])
  },
  'C-21 multi, then single with the token': async (t, target) => {
    const [userId, token] = [randomUUID(), newToken()]
    const [a = '', b = ''] = ids(2)
    isOk(t, await multi(target, [a, b], { userId, token }), 'registered')
    refusedWith(t, await target.register({ userId, token, activationId: randomUUID() }), SHARED)
    isOk(t, await target.register({ userId, token, activationId: a }), 'one of its own')
  },
  'C-22 multi: one that cannot be registered changes nothing (Registration that fails)': async (t, target) => {
    const userId = randomUUID()
    const [a = '', b = '', unknown = ''] = ids(3)
    isOk(t, await target.register({ userId, token: newToken(), activationId: a }), 'the first alone')
    const elsewhere = { appId: await target.makeApplication(), token: newToken() }
    isOk(t, await target.register({ ...elsewhere, userId, activationId: b }), 'the second in another application')
    refusedWith(t, await multi(target, [a, unknown, b], { userId }), 'Device registration failed')
    t.same([await target.reach(userId, a), await target.reach(userId, unknown)], [1, 0])
  },
  'C-23 a REMOVED activation is refused': async (t, { register }) => {
    const device = { token: newToken(), activationId: randomUUID(), activationStatus: 'REMOVED' }
    refusedWith(t, await register(device), 'Device registration failed because associated activation is REMOVED')
  },
  'C-24 a BLOCKED activation is accepted, and not active': async (t, { register, reach, send }) => {
    const userId = randomUUID()
    const device = { userId, token: newToken(), activationId: randomUUID(), activationStatus: 'BLOCKED' }
    isOk(t, await register(device), 'registered')
    t.equal(await reach(userId), 1)
    t.match((await send({ userId, attributes: { personal: true } })).result.ios, { total: 0 })
  },
  'C-26 status: given, and left out': async (t, { api, register, send }) => {
    const [userId, activationId] = [randomUUID(), randomUUID()]
    isOk(t, await register({ userId, token: newToken(), activationId }), 'registered')
    const update = (object: object) => api.call('POST', '/push/device/status/update', json(object))
    const personal = async () => (await send({ userId, attributes: { personal: true } })).result.ios.total
    isOk(t, await update({ activationId, activationStatus: 'BLOCKED' }), 'blocked')
    t.equal(await personal(), 0)
    isOk(t, await update({ activationId }), 'left out: still blocked')
    t.equal(await personal(), 0)
    isOk(t, await update({ activationId, activationStatus: 'ACTIVE' }), 'active')
    t.equal(await personal(), 1)
    refusedWith(t, await update({ requestObject: { activationId } }), 'Activation ID must not be null.')
  },
  'C-27 removal by both verbs, under both names': async (t, { appId, call, register, reach }) => {
    for (const { method, path } of REMOVALS) {
      const [userId, token] = [randomUUID(), newToken()]
      isOk(t, await register({ userId, token, activationId: randomUUID() }), 'registered')
      isOk(t, await call(method, path, { appId, token }), `${method} ${path}`)
      t.equal(await reach(userId), 0)
    }
  },
  'C-28 removal of what is not there': async (t, { appId, call }) => {
    for (const { method, path } of REMOVALS)
      isOk(t, await call(method, path, { appId, token: newToken() }), `${method} ${path}`)
  },
  'C-29 removal of a token that several activations share': async (t, target) => {
    const [userId, token] = [randomUUID(), newToken()]
    const both = ids(2)
    isOk(t, await multi(target, both, { userId, token }), 'registered')
    isOk(t, await target.call('DELETE', '/push/device/remove', { appId: target.appId, token }), 'removed')
    t.same(await Promise.all(both.map((id) => target.reach(userId, id))), [0, 0])
  },
  'R2-11 a blank token is refused on every platform': async (t, { api, appId }) => {
    for (const platform of ['ios', 'android', 'huawei', 'apns', 'fcm', 'hms']) {
      const device = { appId, platform, token: ' ', activationId: randomUUID(), userId: randomUUID() }
      violates(t, await api.post(CREATE, device), ['requestObject.token', /\S/], platform)
    }
  },
}

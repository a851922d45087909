// C-61 to C-70: campaigns, from their making to what became of them.
import { randomUUID } from 'node:crypto'
import { waitFor } from '@push-server/testing'
import { newToken } from '../_gateway.ts'
import { isOk, refusedWith, violates } from '../_watched-api.ts'
import { BODY, inEachForm, type Check, type Checks, type Target } from './_target.ts'

const CREATE = '/push/campaign/create'
const UNKNOWN = 'Campaign with entered ID does not exist'
const NOWHERE = '999999999'
const FULL = {
  ...BODY,
  titleLocArgs: [],
  badge: 3,
  validUntil: '2016-10-12T11:20:04Z',
  extras: { any: ['data', null] },
}

/** As the form has it: a text, or a number. */
type CampaignId = string | number

const create = async ({ api, appId }: Target): Promise<CampaignId> =>
  (await api.post(CREATE, { appId, message: FULL })).body.responseObject.id
const detail = async ({ api }: Target, id: CampaignId) =>
  (await api.get(`/push/campaign/${id}/detail`)).body.responseObject
const usersOf = async ({ api }: Target, id: CampaignId, query = '') =>
  (await api.get(`/push/campaign/${id}/user/list${query}`)).body
const sent = (target: Target, id: CampaignId) =>
  waitFor(`campaign ${id} to be sent`, async () => {
    const campaign = await detail(target, id)
    return campaign.sent && campaign
  })

/** By query: whether a campaign that was not sent is in the list, and one that was. */
type Listing = readonly (readonly [query: string, unsent: boolean, sent: boolean])[]
const FILTERS: Listing = [
  ['?all=true', true, true],
  ['?sent=false', true, false],
  ['?sent=true', false, true],
]
const THE_DOCUMENT: Listing = [...FILTERS, ['', true, true], ['?all=false', false, true]]
const THOSE_NOT_SENT: Listing = [...FILTERS, ['', true, false], ['?all=false', true, false]]

const listedBy =
  (listing: Listing): Check =>
  async (t, target) => {
    const [unsent, live] = [await create(target), await create(target)]
    isOk(t, await target.api.call('POST', `/push/campaign/send/live/${live}`), 'live')
    await sent(target, live)
    for (const [query, ...expected] of listing) {
      const { body } = await target.api.get(`/push/campaign/list${query}`)
      const ids = body.responseObject.map((campaign: { id: CampaignId }) => campaign.id)
      t.same([ids.includes(unsent), ids.includes(live)], expected, query)
    }
  }

/** `members`: of the response to a test. */
const sendTests =
  (members: readonly string[]): Check =>
  async (t, target) => {
    const id = await create(target)
    const path = `/push/campaign/send/test/${id}`
    refusedWith(t, await target.api.post(`/push/campaign/send/test/${NOWHERE}`, null), UNKNOWN)
    refusedWith(t, await target.api.post(path, null), 'Request must not be null.')
    refusedWith(t, await target.api.post(path, {}), 'Request must contain a user ID.')
    refusedWith(t, await target.api.post(path, { userId: '' }), 'No userId was specified')
    const response = await target.api.post(path, { userId: randomUUID() })
    isOk(t, response, 'who has no device')
    t.same(Object.keys(response.body), members)
    t.match(await detail(target, id), { sent: false })
  }

export const campaignChecks: Checks = {
  'C-61 made and deleted (Campaign id)': async (t, target) => {
    const { api, appId, call } = target
    for (const [object, text] of [
      [null, 'Request object must not be empty'],
      [{}, 'App ID must not be null.'],
      [{ appId: 'nowhere' }, 'You must specify a push campaign message payload.'],
      [{ appId: 'nowhere', message: BODY }, 'Application with a provided PowerAuth app ID does not exist: nowhere'],
    ] as const)
      refusedWith(t, await api.post(CREATE, object), text)
    const id = await create(target)
    t.type(id, target.form === 'all' ? 'string' : 'number')
    t.match(String(id), /^\d+$/, `digits, in ${appId}`)
    for (const method of ['POST', 'DELETE']) {
      const path = `/push/campaign/${await create(target)}/delete`
      t.same((await call(method, path, {})).body.responseObject, { deleted: true }, method)
      t.same((await call(method, path, {})).body.responseObject, { deleted: false }, `${method} again`)
    }
  },
  'C-62 detail (Campaign sent)': async (t, target) => {
    const id = await create(target)
    t.match(await detail(target, id), { id, appId: target.appId, sent: false, message: FULL })
    refusedWith(t, await target.api.get(`/push/campaign/${NOWHERE}/detail`), UNKNOWN)
    violates(t, await target.api.get('/push/campaign/ten/detail'), ['id', /\S/])
  },
  ...inEachForm(
    'C-63 list: all, or those that were sent or were not (campaign/list?all=)',
    { '1.9': THOSE_NOT_SENT, '1.10': THOSE_NOT_SENT, all: THE_DOCUMENT },
    listedBy,
  ),
  'C-64 users: added, listed, removed': async (t, target) => {
    const { api, call } = target
    const id = await create(target)
    for (const method of ['POST', 'PUT'])
      isOk(t, await call(method, `/push/campaign/${id}/user/add`, [`of-${method}`, 7]), method)
    t.same((await usersOf(target, id)).responseObject, { campaignId: id, users: ['7', 'of-POST', 'of-PUT'] })
    for (const method of ['POST', 'DELETE'])
      isOk(t, await call(method, `/push/campaign/${id}/user/delete`, ['of-POST', 'nobody']), method)
    t.same((await usersOf(target, id)).responseObject.users, ['7', 'of-PUT'])
    refusedWith(t, await api.post(`/push/campaign/${id}/user/add`, null), 'Empty requestObject data')
    refusedWith(t, await api.post(`/push/campaign/${NOWHERE}/user/add`, ['u']), UNKNOWN)
  },
  'C-65 users: bounds of pages (Paged answers)': async (t, target) => {
    const id = await create(target)
    await target.call('PUT', `/push/campaign/${id}/user/add`, ['a', 'b', 'c', 'd', 'e'])
    for (const [query, page, size, users] of [
      ['', 0, 20, 'abcde'],
      ['?page=0&size=2', 0, 2, 'ab'],
      ['?page=2&size=2', 2, 2, 'e'],
      ['?page=9&size=2', 9, 2, ''],
      ['?page=-1&size=0', 0, 20, 'abcde'],
      ['?page=x&size=y', 0, 20, 'abcde'],
      ['?size=2001', 0, 2000, 'abcde'],
    ] as const) {
      const { body } = await target.api.get(`/push/campaign/${id}/user/list${query}`)
      t.same([body.page, body.size, body.responseObject.users.join('')], [page, size, users], query)
    }
    t.same((await usersOf(target, NOWHERE)).responseObject.users, [], 'of no campaign')
  },
  'C-66 users: named twice': async (t, target) => {
    const id = await create(target)
    const add = `/push/campaign/${id}/user/add`
    for (const users of [['u', 'u', 'v'], ['v', 'w'], []]) isOk(t, await target.call('PUT', add, users), users.join())
    t.same((await usersOf(target, id)).responseObject.users, ['u', 'v', 'w'])
  },
  ...inEachForm(
    'C-67 test send leaves the flags (send/test, response)',
    { '1.9': ['status'], '1.10': ['status'], all: ['status', 'responseObject'] },
    sendTests,
  ),
  'C-68 live send sets the flags (Campaign run)': async (t, target) => {
    const id = await create(target)
    refusedWith(t, await target.api.call('POST', `/push/campaign/send/live/${NOWHERE}`), UNKNOWN)
    isOk(t, await target.api.call('POST', `/push/campaign/send/live/${id}`), 'live')
    t.match(await sent(target, id), { sent: true })
    const { body } = await target.api.get('/push/campaign/list?sent=true')
    t.ok(
      body.responseObject.some((campaign: { id: CampaignId }) => campaign.id === id),
      'listed among those that were sent',
    )
  },
  'C-69 one push for each token, over users and activations (Campaign audience)': {
    // The detail of a version has no counters.
    in: ['all'],
    check: async (t, target) => {
      const [userId, other] = [randomUUID(), randomUUID()]
      const token = newToken()
      const shared = {
        appId: target.appId,
        platform: 'ios',
        token,
        userId,
        activationIds: [randomUUID(), randomUUID()],
      }
      isOk(t, await target.api.post('/push/device/create/multi', shared), 'one token, two activations')
      const elsewhere = { appId: await target.makeApplication(), userId, token: newToken(), activationId: randomUUID() }
      isOk(t, await target.register(elsewhere), 'in another application')
      isOk(t, await target.register({ userId: other, token: newToken(), activationId: randomUUID() }), 'another user')
      const id = await create(target)
      await target.call('PUT', `/push/campaign/${id}/user/add`, [userId, other, randomUUID()])
      isOk(t, await target.api.call('POST', `/push/campaign/send/live/${id}`), 'live')
      t.match((await sent(target, id)).result.ios, { pending: 0, total: 2 })
    },
  },
  'C-70 sent again only with `resend` (Campaign run)': async (t, target) => {
    const id = await create(target)
    const live = (query = '') => target.api.call('POST', `/push/campaign/send/live/${id}${query}`)
    isOk(t, await live(), 'the first time')
    await sent(target, id)
    refusedWith(t, await live(), 'Campaign was already sent')
    isOk(t, await live('?resend=true'), 'with resend')
    await sent(target, id)
  },
}

// Members for single phones and raw blocks in requests of HMS v3, as tables.
import type { MessageBody } from '@push-server/contract'
import t from 'tap'
import { mergeRawHmsV3, notificationMembersV3, pushOptionsV3 } from '../src/hms/members-v3.ts'

const CLICK = { clickAction: { actionType: 0, data: { a: 'b' } } }

t.test('members of the notification', async (t) => {
  const cases: [body: MessageBody, members: object][] = [
    [{}, { foregroundShow: true }],
    [{ foregroundShow: false }, { foregroundShow: false }],
    [{ hmsCategory: 'FINANCE' }, { category: 'FINANCE', foregroundShow: true }],
    [{ image: 'https://example.com/a.png' }, { image: 'https://example.com/a.png', foregroundShow: true }],
    [
      { link: 'bank:pay', clickAction: 'PAY' },
      { clickAction: { actionType: 1, uri: 'bank:pay', data: { a: 'b' } }, foregroundShow: true },
    ],
    [{ clickAction: 'PAY' }, { clickAction: { actionType: 1, action: 'PAY', data: { a: 'b' } }, foregroundShow: true }],
    [
      { notifyId: 0, tag: 'x' },
      { notifyId: 0, foregroundShow: true },
    ],
  ]
  for (const [body, members] of cases)
    t.same(JSON.parse(JSON.stringify(notificationMembersV3(body, CLICK))), members, JSON.stringify(body))
  const idOf = (tag: string) => notificationMembersV3({ tag }, CLICK)['notifyId']
  t.equal(idOf('a'), idOf('a'))
  t.not(idOf('a'), idOf('b'))
  for (const tag of ['a', 'b', 'tag', 'é']) t.ok(Number(idOf(tag)) >= 0 && Number(idOf(tag)) < 2 ** 31, tag)
})

t.test('options', async (t) => {
  t.same(pushOptionsV3({ analyticsLabel: 'spring' }), { biTag: 'spring' })
  t.same(pushOptionsV3({}), {})
})

t.test('raw blocks, whose targets are never merged', async (t) => {
  const document = { payload: { notification: { title: 'T' } }, pushOptions: { ttl: 1 } }
  t.equal(mergeRawHmsV3({ hms: { data: 'x' } }, document), document)
  const v3 = { payload: { notification: { style: 3 } }, pushOptions: { ttl: null }, target: { token: ['other'] } }
  t.same(mergeRawHmsV3({ hms: { v3 } }, document), {
    payload: { notification: { title: 'T', style: 3 } },
    pushOptions: {},
  })
})

// The examples of the API's document in its order, as data: what a reader pastes, and what the document prints for it. Lists
// that it cuts short are filled in; `{id}` stands for what was made last.
import { DOCUMENTED_BODY } from '@push-server/contract'

export interface Example {
  name: string
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  /** What goes into the wrapper; `bare` without one. */
  object?: unknown
  bare?: unknown
  response: Record<string, unknown>
}

const BODY = { ...DOCUMENTED_BODY, validUntil: '2017-12-11T21:22:29.923Z' }
const CAMPAIGN_BODY = { ...BODY, validUntil: '2016-10-12T11:20:04Z' }
const ACTIVATION = '49414e31-f3df-4cea-87e6-f214ca3b8412'
const OTHER_ACTIVATION = '26c94bf8-f594-4bd8-9c51-93449926b644'
export const OK = { status: 'OK' }
export const okWith = (responseObject: unknown) => ({ ...OK, responseObject })
export const TIME = '2022-08-25T22:34:58.702+00:00'

const DEVICE = { appId: 'mobile-app', token: '1234567890987654321234567890', platform: 'ios' }
const MESSAGE = {
  activationId: ACTIVATION,
  userId: '123',
  priority: 'HIGH',
  attributes: { personal: true, silent: true },
  body: BODY,
}
/** The document prints one for each platform; its user has an iPhone alone. */
const none = { sent: 0, pending: 0, failed: 0, total: 0 }
const RESULT = { ios: { sent: 1, pending: 0, failed: 0, total: 1 }, android: none, huawei: none }

const CAMPAIGN = { id: '10', appId: 'mobile-app', sent: false, message: CAMPAIGN_BODY }
const USERS = ['1234567890', '1234567891', '1234567893']

export const PUSH_EXAMPLES: readonly Example[] = [
  {
    name: 'Service Status',
    method: 'GET',
    path: '/push/service/status',
    response: okWith({
      applicationName: 'powerauth-push',
      applicationDisplayName: 'PowerAuth Push Server',
      applicationEnvironment: '',
      version: '0.21.0',
      timestamp: TIME,
    }),
  },
  {
    name: 'Create Device',
    method: 'POST',
    path: '/push/device/create',
    object: { ...DEVICE, activationId: ACTIVATION },
    response: OK,
  },
  {
    name: 'Create Device for Multiple Activations',
    method: 'POST',
    path: '/push/device/create/multi',
    object: { ...DEVICE, activationIds: [ACTIVATION, OTHER_ACTIVATION] },
    response: OK,
  },
  {
    name: 'Remove Device',
    method: 'DELETE',
    path: '/push/device/remove',
    object: { appId: 'mobile-app', token: '12456789098321234567890' },
    response: OK,
  },
  {
    name: 'Update Device Status',
    method: 'POST',
    path: '/push/device/status/update',
    bare: { activationId: ACTIVATION },
    response: OK,
  },
  {
    name: 'Send Message',
    method: 'POST',
    path: '/push/message/send',
    object: { appId: 'mobile-app', mode: 'SYNCHRONOUS', message: MESSAGE },
    response: okWith({ mode: 'SYNCHRONOUS', result: RESULT }),
  },
  {
    name: 'Send Message Batch',
    method: 'POST',
    path: '/push/message/batch/send',
    object: { appId: 'mobile-app', mode: 'SYNCHRONOUS', batch: [MESSAGE, { ...MESSAGE, userId: '1234' }] },
    response: okWith({ mode: 'SYNCHRONOUS', result: RESULT }),
  },
  {
    name: 'Create Campaign',
    method: 'POST',
    path: '/push/campaign/create',
    object: { appId: 'mobile-app', message: CAMPAIGN_BODY },
    response: okWith({ id: '123456789012345678901234567890' }),
  },
  {
    name: 'Delete Campaign',
    method: 'DELETE',
    path: '/push/campaign/{id}/delete',
    bare: {},
    response: okWith({ deleted: true }),
  },
  {
    name: 'Create Campaign, as the next examples need one again',
    method: 'POST',
    path: '/push/campaign/create',
    object: { appId: 'mobile-app', message: CAMPAIGN_BODY },
    response: okWith({ id: '10' }),
  },
  { name: 'Get Campaign', method: 'GET', path: '/push/campaign/{id}/detail', response: okWith(CAMPAIGN) },
  { name: 'Get List Of Campaigns', method: 'GET', path: '/push/campaign/list?all=true', response: okWith([CAMPAIGN]) },
  {
    name: 'Add Users To Campaign',
    method: 'PUT',
    path: '/push/campaign/{id}/user/add',
    object: USERS,
    response: OK,
  },
  {
    name: 'Get Users From Campaign',
    method: 'GET',
    path: '/push/campaign/{id}/user/list?page=0&size=4',
    response: { status: 'OK', page: 0, size: 4, responseObject: { campaignId: '1234', users: USERS } },
  },
  {
    name: 'Delete Users From Campaign',
    method: 'DELETE',
    path: '/push/campaign/{id}/user/delete',
    object: USERS,
    response: OK,
  },
  {
    name: 'Send Test Campaign Message',
    method: 'POST',
    path: '/push/campaign/send/test/{id}',
    object: { userId: '1234567890' },
    response: OK,
  },
  { name: 'Send Campaign', method: 'POST', path: '/push/campaign/send/live/{id}', response: OK },
]

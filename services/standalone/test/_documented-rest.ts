// The rest of the documented examples: administration, with keys of the right form for those that the document cuts short, and
// the inbox. The detail of an application stands after the updates that it shows.
import { generateApnsKey, generateServiceAccount } from '@push-server/testing'
import { OK, okWith, TIME, type Example } from './_documented-pushes.ts'

const PROJECT = 'PROJECTID123'
const base64 = (text: string) => Buffer.from(text).toString('base64')
const SERVICE_ACCOUNT = JSON.stringify({ ...JSON.parse(generateServiceAccount()), project_id: PROJECT })

const INBOX = {
  userId: 'user-001',
  type: 'text',
  subject: 'Example subject',
  summary: 'Example summary',
  body: 'Example message body',
}
const INBOX_DETAIL = {
  id: 'ae641389-d37a-4425-bd14-41c29484596f',
  ...INBOX,
  read: false,
  timestampCreated: TIME,
  applications: ['mobile-app', 'mobile-app-other'],
}
export const CREATE_APPLICATION: Example = {
  name: 'Create Application',
  method: 'POST',
  path: '/admin/app/create',
  object: { appId: 'mobile-app' },
  response: okWith({ appId: 'mobile-app' }),
}

export const ADMINISTRATION_EXAMPLES: readonly Example[] = [
  {
    name: 'List Applications',
    method: 'GET',
    path: '/admin/app/list',
    response: okWith({ applicationList: [{ appId: 'mobile-app', ios: true, android: true, huawei: true }] }),
  },
  {
    name: 'List Unconfigured Applications: none without a PowerAuth Server',
    method: 'GET',
    path: '/admin/app/unconfigured/list',
    response: okWith({ applicationList: [] }),
  },
  {
    name: 'Update iOS Configuration',
    method: 'PUT',
    path: '/admin/app/ios/update',
    object: {
      appId: 'mobile-app',
      bundle: 'some.bundle.id',
      keyId: 'KEYID123456',
      teamId: 'TEAMID123456',
      environment: null,
      privateKeyBase64: base64(generateApnsKey()),
    },
    response: OK,
  },
  {
    name: 'Update Android Configuration',
    method: 'PUT',
    path: '/admin/app/android/update',
    object: { appId: 'mobile-app', projectId: PROJECT, privateKeyBase64: base64(SERVICE_ACCOUNT) },
    response: OK,
  },
  {
    name: 'Update Huawei Configuration',
    method: 'PUT',
    path: '/admin/app/huawei/update',
    object: {
      appId: 'mobile-app',
      projectId: 'PROJECTID123',
      clientId: 'oAuth 2.0 client ID',
      clientSecret: 'oAuth 2.0 client secret',
    },
    response: OK,
  },
  {
    name: 'Application Detail, after the updates that it shows',
    method: 'POST',
    path: '/admin/app/detail',
    object: { appId: 'mobile-app', includeIos: true, includeAndroid: true },
    // The document shows Huawei's project, too, which the request does not name.
    response: okWith({
      application: { appId: 'mobile-app', ios: true, android: true, huawei: true },
      iosBundle: 'some.bundle.id',
      iosKeyId: 'KEYID123456',
      iosTeamId: 'TEAMID123456',
      androidProjectId: 'PROJECTID123',
    }),
  },
  ...['ios', 'android', 'huawei'].map((platform) => ({
    name: `Remove ${platform} Configuration`,
    method: 'DELETE' as const,
    path: `/admin/app/${platform}/remove`,
    object: { appId: 'mobile-app' },
    response: OK,
  })),
]

export const INBOX_EXAMPLES: readonly Example[] = [
  {
    name: 'Post Message to Inbox',
    method: 'POST',
    path: '/inbox/messages',
    object: { ...INBOX, applications: ['mobile-app', 'mobile-app-other'] },
    response: okWith(INBOX_DETAIL),
  },
  {
    name: 'Get User Messages',
    method: 'GET',
    path: '/inbox/messages/list?userId=user-001&applications=mobile-app,mobile-app-other&onlyUnread=false&page=0&size=20',
    response: {
      status: 'OK',
      page: 0,
      size: 20,
      responseObject: [
        {
          id: 'ae641389-d37a-4425-bd14-41c29484596f',
          type: 'text',
          subject: 'Example subject',
          summary: 'Example summary',
          read: false,
          timestampCreated: TIME,
        },
      ],
    },
  },
  {
    name: 'Get Count of Unread Messages',
    method: 'GET',
    path: '/inbox/messages/count?userId=user-001&appId=mobile-app',
    response: okWith({ countUnread: 1 }),
  },
  {
    name: 'Get Message Detail by ID',
    method: 'GET',
    path: '/inbox/messages/detail?messageId={id}',
    response: okWith(INBOX_DETAIL),
  },
  {
    name: 'Mark Message as Read',
    method: 'PUT',
    path: '/inbox/messages/read?userId=user-001&messageId={id}',
    response: okWith({ ...INBOX_DETAIL, read: true }),
  },
  {
    name: 'Mark All Unread Messages as Read for User',
    method: 'PUT',
    path: '/inbox/messages/read-all?userId=user-001&appId=mobile-app',
    response: OK,
  },
]

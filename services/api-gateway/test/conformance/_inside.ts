// Conformance items that cannot be seen from outside, or not from there alone: by which test each is proved. Paths are from the root.

const GATEWAY = 'services/api-gateway/test'
const PROVIDERS = 'packages/providers/test'

export const INSIDE: Readonly<Record<string, readonly [file: string, test: string]>> = {
  'C-15': [`${GATEWAY}/devices.test.ts`, 'C-15 flag off beats bad body'],
  'C-25': [
    `${GATEWAY}/power-auth.test.ts`,
    'C-25 W-REG-2 no usable answer: each caller’s text, and nothing is changed',
  ],
  'C-40 APNs: visible': [
    `${PROVIDERS}/apns.test.ts`,
    'C-40 visible: the documented message becomes the documented payload',
  ],
  'C-41 APNs: silent': [`${PROVIDERS}/apns.test.ts`, 'payloads'],
  'C-42 APNs: localised, badge 0': [`${PROVIDERS}/apns.test.ts`, 'payloads'],
  'C-43 APNs: null extras': [`${PROVIDERS}/apns.test.ts`, 'payloads'],
  'C-44 APNs: collapse id': [
    `${PROVIDERS}/apns.test.ts`,
    'C-44 a collapse key that no header can carry is represented by its hash, the thread by itself',
  ],
  'C-45 APNs: expiration': [`${PROVIDERS}/apns.test.ts`, 'C-45 expiration'],
  'C-46 APNs: priorities': [`${PROVIDERS}/apns.test.ts`, 'C-46 priority and push type'],
  'C-47 APNs: each rejection': [`${PROVIDERS}/apns.test.ts`, 'C-47 what each rejection reason means'],
  'C-48 FCM: visible': [`${PROVIDERS}/fcm.test.ts`, 'the documented message becomes the documented request'],
  'C-49 FCM: silent': [`${PROVIDERS}/fcm.test.ts`, 'requests'],
  'C-50 FCM: data only': [
    `${PROVIDERS}/fcm.test.ts`,
    'as data only, the notification is left to the mobile application',
  ],
  'C-51 FCM: ttl': [`${PROVIDERS}/fcm.test.ts`, 'time to live'],
  'C-52 FCM: types of extras': [`${PROVIDERS}/fcm.test.ts`, 'requests'],
  'C-53 FCM: each error code': [`${PROVIDERS}/fcm.test.ts`, 'what each code means'],
  'C-54 FCM: errors without details': [`${PROVIDERS}/fcm.test.ts`, 'a response that is not as documented does no harm'],
  'C-55 FCM: access tokens': [`${PROVIDERS}/fcm.test.ts`, 'access tokens that cannot be had, or do not help'],
  'C-56 HMS: visible': [`${PROVIDERS}/hms.test.ts`, 'the documented message becomes the documented payload'],
  'C-57 HMS: silent': [`${PROVIDERS}/hms.test.ts`, 'data, with and without a notification'],
  'C-58 HMS: collapse keys, numeric and textual': [`${PROVIDERS}/hms.test.ts`, 'collapse keys'],
  'C-59 HMS: codes of success and failure': [`${PROVIDERS}/hms.test.ts`, 'what each code means'],
  'C-60 HMS: renewal of the token': [`${PROVIDERS}/provider-contract.test.ts`, 'a provider token'],
  'C-80': [`${GATEWAY}/administration.test.ts`, 'C-80 new credentials are what the next send goes with'],
}

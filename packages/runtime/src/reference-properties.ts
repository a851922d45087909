// The properties of PowerAuth Push Server 1.7 to 2.x, and what each of them is here. docs/migrating.md has them as a table, the start names
// them where one is left over, and the migration says which defaults differ. Pure.

export interface ReferenceProperty {
  /** As in `application.properties`. */
  property: string
  /** Its default there; empty for none. */
  default: string
  /** Our setting; undefined: there is none. */
  setting?: string
  /** What differs, or what came in its place. */
  note?: string
  /** Whether our default does something else than theirs. */
  isDifferent?: boolean
}

const PUSH = 'powerauth.push.service'
const SERVICE = 'powerauth.service'

const proxy = (provider: 'apns' | 'fcm' | 'hms', note?: string): ReferenceProperty[] =>
  (
    [
      ['enabled', 'false'],
      ['host', '127.0.0.1'],
      ['port', '8080'],
      ['username', ''],
      ['password', ''],
    ] as const
  ).map(([name, fallback]) => ({
    property: `${PUSH}.${provider}.proxy.${name}`,
    default: fallback,
    setting: `${provider}_proxy_${name}`.toUpperCase(),
    ...(note !== undefined && { note }),
  }))

/** What has no place here, and why. */
const GONE = {
  races: 'the database settles races of registrations',
  connections: 'connections are opened and closed as they are needed',
}

export const REFERENCE_PROPERTIES: readonly ReferenceProperty[] = [
  {
    property: `${PUSH}.apns.useDevelopment`,
    default: 'true',
    setting: 'APNS_USE_DEVELOPMENT',
    note: 'decides for iOS devices and applications without an environment',
    isDifferent: true,
  },
  { property: `${PUSH}.applicationName`, default: 'powerauth-push', setting: 'APPLICATION_NAME' },
  {
    property: `${PUSH}.applicationDisplayName`,
    default: 'PowerAuth Push Server',
    setting: 'APPLICATION_DISPLAY_NAME',
  },
  { property: `${PUSH}.applicationEnvironment`, default: '', setting: 'APPLICATION_ENVIRONMENT' },
  {
    property: `${PUSH}.message.storage.enabled`,
    default: 'false',
    setting: 'MESSAGE_STORAGE_ENABLED',
    note: 'contents go after a day, the rest after 30',
    isDifferent: true,
  },
  {
    property: `${PUSH}.registration.multipleActivations.enabled`,
    default: 'false',
    setting: 'REGISTRATION_MULTIPLE_ACTIVATIONS_ENABLED',
    note: '`create/multi` is open',
    isDifferent: true,
  },
  { property: `${PUSH}.registration.retry.backoff`, default: '100', note: GONE.races },
  { property: `${PUSH}.registration.retry.maxAttempts`, default: '2', note: GONE.races },
  { property: `${PUSH}.clients.cache.refreshAfterWrite`, default: '5m', note: 'new credentials are in force at once' },
  { property: `${PUSH}.campaign.batchSize`, default: '100000', setting: 'CAMPAIGN_PARTITION' },
  ...proxy('apns'),
  {
    property: `${PUSH}.apns.connect.timeout`,
    default: '5000',
    setting: 'APNS_REQUEST_TIMEOUT',
    note: 'of a whole response, as a duration',
  },
  {
    property: `${PUSH}.apns.idlePingInterval`,
    default: '60000',
    setting: 'PROVIDER_IDLE',
    note: 'a provider without work is closed, as a duration',
  },
  {
    property: `${PUSH}.apns.concurrentConnections`,
    default: '1',
    setting: 'APNS_CONCURRENCY',
    note: 'counts pushes in flight',
  },
  ...proxy('fcm'),
  { property: `${PUSH}.fcm.dataNotificationOnly`, default: 'false', setting: 'FCM_DATA_ONLY' },
  {
    property: `${PUSH}.fcm.sendMessageUrl`,
    default: 'https://fcm.googleapis.com/v1/projects/%s/messages:send',
    setting: 'FCM_BASE_URL',
    note: 'the origin alone',
  },
  {
    property: `${PUSH}.fcm.connect.timeout`,
    default: '5000',
    setting: 'FCM_REQUEST_TIMEOUT',
    note: 'of a whole response, as a duration',
  },
  ...proxy('hms', 'the proxy is for access tokens too'),
  {
    property: `${PUSH}.hms.dataNotificationOnly`,
    default: 'false',
    setting: 'HMS_DATA_ONLY',
    note: 'had no effect there: a value of `true` changes what phones get',
  },
  {
    property: `${PUSH}.hms.sendMessageUrl`,
    default: 'https://push-api.cloud.huawei.com/v2/%s/messages:send',
    setting: 'HMS_BASE_URL',
    note: 'the origin alone',
  },
  {
    property: `${PUSH}.hms.tokenUrl`,
    default: 'https://oauth-login.cloud.huawei.com/oauth2/v3/token',
    setting: 'HMS_TOKEN_URL',
  },
  { property: `${PUSH}.hms.connect.timeout`, default: '5s', note: GONE.connections },
  {
    property: `${PUSH}.hms.response.timeout`,
    default: '60s',
    setting: 'HMS_REQUEST_TIMEOUT',
    note: 'of a whole response',
  },
  { property: `${PUSH}.hms.max-idle-time`, default: '200s', note: GONE.connections },
  {
    property: 'powerauth.push.java.cacerts.password',
    default: 'changeit',
    note: 'authorities to trust stand in `APNS_CA_FILE`, `FCM_CA_FILE` and `HMS_CA_FILE`',
  },
  {
    property: `${SERVICE}.url`,
    default: 'http://localhost:8080/powerauth-java-server/rest',
    setting: 'POWERAUTH_URL',
    note: 'without it the own registry believes what callers say: set it where PowerAuth Server is used',
    isDifferent: true,
  },
  { property: `${SERVICE}.security.clientToken`, default: '', setting: 'POWERAUTH_CLIENT_TOKEN' },
  { property: `${SERVICE}.security.clientSecret`, default: '', setting: 'POWERAUTH_CLIENT_SECRET' },
  {
    property: `${SERVICE}.ssl.acceptInvalidSslCertificate`,
    default: 'false',
    setting: 'POWERAUTH_ACCEPT_INVALID_SSL_CERTIFICATE',
  },
  {
    property: `${SERVICE}.restClientConfig.responseTimeout`,
    default: '60s',
    setting: 'POWERAUTH_RESPONSE_TIMEOUT',
    note: 'the connection included',
  },
  { property: `${SERVICE}.restClientConfig.maxIdleTime`, default: '200s', note: GONE.connections },
  {
    property: `${SERVICE}.correlation-header.enabled`,
    default: 'false',
    note: '`X-Correlation-ID` is always read and returned',
  },
  { property: `${SERVICE}.correlation-header.name`, default: 'X-Correlation-ID', note: 'the name is fixed' },
  {
    property: `${SERVICE}.correlation-header.value.validation-regexp`,
    default: '[a-zA-Z0-9\\-]{8,1024}',
    note: 'the format is fixed',
  },
]

/** As Spring reads it from the environment. Where words are divided is no matter here, since people divide them differently. */
const packed = (name: string) => name.replaceAll(/[^A-Za-z0-9]/g, '').toUpperCase()

const BY_PACKED_NAME = new Map(REFERENCE_PROPERTIES.map((each) => [packed(each.property), each]))
const OUR_NAMES = new Set(REFERENCE_PROPERTIES.flatMap(({ setting }) => setting ?? []))

/** What a variable of the environment that is none of ours was there. */
export function referencePropertyOf(variable: string): ReferenceProperty | undefined {
  return OUR_NAMES.has(variable) ? undefined : BY_PACKED_NAME.get(packed(variable))
}

// Every setting there is, by subject. docs/configuration.md is generated from this list.
import type { Setting } from './setting.ts'
import { API_SETTINGS, GATEWAY_LIMIT_SETTINGS, IMPORT_SETTINGS, QUOTA_SETTINGS } from './settings/api.ts'
import { CAMPAIGN_SETTINGS, CIRCUIT_BREAKER_SETTINGS, WORKER_SETTINGS } from './settings/delivery.ts'
import { POWERAUTH_SETTINGS } from './settings/power-auth.ts'
import { LOGGING_SETTINGS, MONITORING_SETTINGS, STANDALONE_SETTINGS } from './settings/process.ts'
import { PROVIDER_SETTINGS } from './settings/providers.ts'
import { DATABASE_SETTINGS, ENCRYPTION_SETTINGS, QUEUE_SETTINGS, RETENTION_SETTINGS } from './settings/storage.ts'

export const SETTINGS = {
  ...API_SETTINGS,
  ...GATEWAY_LIMIT_SETTINGS,
  ...IMPORT_SETTINGS,
  ...QUOTA_SETTINGS,
  ...DATABASE_SETTINGS,
  ...QUEUE_SETTINGS,
  ...ENCRYPTION_SETTINGS,
  ...RETENTION_SETTINGS,
  ...WORKER_SETTINGS,
  ...CAMPAIGN_SETTINGS,
  ...CIRCUIT_BREAKER_SETTINGS,
  ...PROVIDER_SETTINGS.apns,
  ...PROVIDER_SETTINGS.fcm,
  ...PROVIDER_SETTINGS.hms,
  ...POWERAUTH_SETTINGS,
  ...LOGGING_SETTINGS,
  ...MONITORING_SETTINGS,
  ...STANDALONE_SETTINGS,
} as const

/** The same settings under the headings of docs/configuration.md, in its order. */
export const SETTINGS_BY_SUBJECT: Readonly<Record<string, Readonly<Record<string, Setting<unknown>>>>> = {
  API: API_SETTINGS,
  'Limits of a gateway': GATEWAY_LIMIT_SETTINGS,
  Imports: IMPORT_SETTINGS,
  'Backlog and quotas': QUOTA_SETTINGS,
  Database: DATABASE_SETTINGS,
  Queue: QUEUE_SETTINGS,
  Encryption: ENCRYPTION_SETTINGS,
  Retention: RETENTION_SETTINGS,
  'Workers and the sweep': WORKER_SETTINGS,
  Campaigns: CAMPAIGN_SETTINGS,
  'Circuit breaker': CIRCUIT_BREAKER_SETTINGS,
  APNs: PROVIDER_SETTINGS.apns,
  FCM: PROVIDER_SETTINGS.fcm,
  HMS: PROVIDER_SETTINGS.hms,
  'Activations and PowerAuth Server': POWERAUTH_SETTINGS,
  Logging: LOGGING_SETTINGS,
  'Health and metrics': MONITORING_SETTINGS,
  '`npm start`': STANDALONE_SETTINGS,
}

// Applications and their credentials, as the administration API changes and shows them.
import {
  invalidRequest,
  PLATFORMS,
  PROVIDER_NAMES,
  refusal,
  TEXT,
  timestampOf,
  type ApplicationDetail,
  type ApplicationDetailRequest,
  type ApplicationSummary,
  type Platform,
  type UpdateIosRequest,
} from '@push-server/contract'
import { InvalidCredentials, PROVIDERS, type StoredCredentials } from '@push-server/providers'
import type { ApplicationRow, Store } from '@push-server/store'

type Shelf = Pick<Store, 'applications' | 'credentials'>

export async function createApplication({ applications }: Shelf, appId: string): Promise<void> {
  if (!(await applications.create(appId))) throw refusal(TEXT.applicationExists)
}

export async function listApplications({ applications }: Shelf): Promise<ApplicationSummary[]> {
  return (await applications.list()).map(summaryOf)
}

export async function describeApplication(store: Shelf, request: ApplicationDetailRequest): Promise<ApplicationDetail> {
  const row = await configured(store, request.appId)
  const paused = pausesOf(row)
  return {
    application: summaryOf(row),
    ...((request.includeIos || request.includeApns) && iosSettings(row)),
    ...(paused && { paused }),
  }
}

/** Takes the key only when it can sign; anything else changes nothing. Ends a pause of the platform. */
export async function updateIos(store: Shelf, request: UpdateIosRequest): Promise<void> {
  const { id } = await configured(store, request.appId)
  const { bundle, keyId, teamId, environment } = request
  const secretField = 'requestObject.privateKeyBase64'
  const credentials = {
    settings: { bundle, keyId, teamId, environment: environment ?? null },
    secret: decodeBase64(secretField, request.privateKeyBase64),
  }
  verify('ios', credentials, secretField)
  await store.credentials.put({ applicationId: id, platform: 'ios' }, credentials)
}

/** Refuses credentials that their provider could not be opened with. */
function verify(platform: Platform, credentials: StoredCredentials, secretField: string): void {
  try {
    PROVIDERS[platform]?.verify(credentials)
  } catch (error) {
    if (!(error instanceof InvalidCredentials)) throw error
    throw invalidRequest(
      [{ fieldName: error.field ? `requestObject.${error.field}` : secretField, hint: error.message }],
      error,
    )
  }
}

export async function removeCredentials(store: Shelf, appId: string, platform: Platform): Promise<void> {
  const { id } = await configured(store, appId)
  await store.credentials.remove({ applicationId: id, platform })
}

async function configured({ applications }: Shelf, appId: string): Promise<ApplicationRow> {
  const row = await applications.find(appId)
  if (!row) throw refusal(TEXT.credentialsUnknown(appId))
  return row
}

function summaryOf(row: ApplicationRow): ApplicationSummary {
  const has = (platform: Platform) => row.credentials.some((credentials) => credentials.platform === platform)
  const flags = PLATFORMS.flatMap((platform) => [
    [platform, has(platform)],
    [PROVIDER_NAMES[platform], has(platform)],
  ])
  return { appId: row.appId, ...Object.fromEntries(flags) } as ApplicationSummary
}

function iosSettings(row: ApplicationRow): Partial<ApplicationDetail> {
  const settings = row.credentials.find((credentials) => credentials.platform === 'ios')?.settings
  const shown = Object.entries(settings ?? {}).filter((entry): entry is [string, string] => entry[1] !== null)
  return Object.fromEntries(
    ['ios', 'apns'].flatMap((family) =>
      shown.map(([name, value]) => [`${family}${name.charAt(0).toUpperCase()}${name.slice(1)}`, value]),
    ),
  )
}

function pausesOf(row: ApplicationRow): ApplicationDetail['paused'] {
  const whole = row.pauses.filter((pause) => pause.lanes === 'all')
  if (whole.length === 0) return undefined
  return Object.fromEntries(
    whole.map(({ platform, reason, pausedAt }) => [platform, { reason, timestampPaused: timestampOf(pausedAt) }]),
  )
}

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

function decodeBase64(fieldName: string, text: string): Buffer {
  if (!BASE64.test(text)) throw invalidRequest([{ fieldName, hint: 'must be base64' }])
  return Buffer.from(text, 'base64')
}

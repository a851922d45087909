// Applications and their credentials, as the administration API changes and shows them.
import {
  capitalized,
  PLATFORMS,
  PROVIDER_NAMES,
  refusal,
  TEXT,
  timestampOf,
  type ApplicationDetail,
  type ApplicationDetailRequest,
  type ApplicationSummary,
  type ListedApplication,
  type Platform,
  type UpdateRequest,
} from '@push-server/contract'
import { PROVIDERS, type StoredCredentials } from '@push-server/providers'
import type { Logger } from '@push-server/runtime'
import { BREAKER_REASON, type ApplicationRow, type Store } from '@push-server/store'
import { updateHuaweiClient } from './huawei-credentials.ts'
import { checked, configured, decodeBase64, refuseUnknownKey, SECRET_FIELD, type ApplicationStore } from './upload.ts'

export async function createApplication({ applications }: ApplicationStore, appId: string): Promise<void> {
  if (!(await applications.create(appId))) throw refusal(TEXT.applicationExists)
}

export async function listApplications({ applications }: ApplicationStore): Promise<ListedApplication[]> {
  return (await applications.list()).map((row) => ({ ...summaryOf(row), ...pausedMember(row) }))
}

export async function describeApplication(
  store: ApplicationStore,
  request: ApplicationDetailRequest,
): Promise<ApplicationDetail> {
  const row = await configured(store, request.appId)
  const included = PLATFORMS.filter((platform) => isIncluded(request, platform))
  const settings = Object.fromEntries(included.flatMap((platform) => settingsOf(row, platform)))
  return { application: summaryOf(row), ...(row.rawBlocks && { rawBlocks: true }), ...settings, ...pausedMember(row) }
}

const isIncluded = (request: ApplicationDetailRequest, platform: Platform) =>
  [platform, PROVIDER_NAMES[platform]].some((name) => request[`include${capitalized(name)}`])

type Updates = { [P in Platform]: (store: ApplicationStore, request: UpdateRequest<P>) => Promise<void> }

/** Sets the credentials of an application, on each platform. */
export const updateCredentials: Updates = {
  ios(store, { appId, bundle, keyId, teamId, environment, privateKeyBase64 }) {
    const settings = { bundle, keyId, teamId, environment: environment ?? null }
    const secret = () => decodeBase64(SECRET_FIELD, privateKeyBase64)
    return update(store, { appId, platform: 'ios', settings, secret })
  },

  android: (store, { appId, projectId, privateKeyBase64 }) =>
    update(store, {
      appId,
      platform: 'android',
      settings: { projectId },
      secret: () => decodeBase64(SECRET_FIELD, privateKeyBase64),
    }),

  huawei: updateHuaweiClient,
}

interface Update {
  appId: string
  platform: Platform
  settings: StoredCredentials['settings']
  secret(): Buffer
}

/** Stores credentials only when their provider can be opened with them. Ends a pause of the platform. */
async function update(store: ApplicationStore, { appId, platform, settings, secret }: Update) {
  const { id } = await configured(store, appId)
  const credentials = { settings, secret: secret() }
  verify(platform, credentials)
  await store.credentials.put({ applicationId: id, platform }, credentials).catch(refuseUnknownKey)
}

/** Refuses credentials that their provider cannot be opened with. */
const verify = (platform: Platform, credentials: StoredCredentials): void =>
  checked(() => PROVIDERS[platform].verify(credentials))

/** Whether messages of the application may have raw blocks from now on. */
export async function switchRawBlocks(
  { applications }: Pick<Store, 'applications'>,
  { appId, enabled }: { appId: string; enabled: boolean },
): Promise<void> {
  if (!(await applications.switchRawBlocks(appId, enabled))) throw refusal(TEXT.credentialsUnknown(appId))
}

export async function removeCredentials(store: ApplicationStore, appId: string, platform: Platform): Promise<void> {
  const { id } = await configured(store, appId)
  await store.credentials.remove({ applicationId: id, platform })
}

/** Ends every pause of the platform, that of an open circuit breaker included. It is no error when nothing is paused. */
export async function resumePlatform(
  store: ApplicationStore & Pick<Store, 'pauses'>,
  { appId, platform }: { appId: string; platform: Platform },
  log: Pick<Logger, 'warn'>,
): Promise<void> {
  const { id: applicationId } = await configured(store, appId)
  const wasPaused = await store.pauses.resume({ applicationId, platform }, { all: true })
  if (wasPaused) log.warn({ appId, applicationId, platform }, 'platform resumed by request')
}

function summaryOf(row: ApplicationRow): ApplicationSummary {
  const has = (platform: Platform) => row.credentials.some((credentials) => credentials.platform === platform)
  const flags = PLATFORMS.flatMap((platform) => [
    [platform, has(platform)],
    [PROVIDER_NAMES[platform], has(platform)],
  ])
  return { appId: row.appId, ...Object.fromEntries(flags) } as ApplicationSummary
}

/** Under both names of the platform: `iosBundle` and `apnsBundle`. */
function settingsOf(row: ApplicationRow, platform: Platform): [name: string, value: string][] {
  const settings = row.credentials.find((credentials) => credentials.platform === platform)?.settings
  const shown = Object.entries(settings ?? {}).filter((entry): entry is [string, string] => entry[1] !== null)
  return [platform, PROVIDER_NAMES[platform]].flatMap((family) =>
    shown.map(([name, value]): [string, string] => [`${family}${capitalized(name)}`, value]),
  )
}

const pausedMember = (row: ApplicationRow) => {
  const paused = pausesOf(row)
  return paused && { paused }
}

function pausesOf(row: ApplicationRow): ApplicationDetail['paused'] {
  if (row.pauses.length === 0) return undefined
  // Of two pauses of one platform the response has the wider one.
  const narrowFirst = row.pauses.toSorted((a, b) => b.lanes.localeCompare(a.lanes))
  const isBreakerOpen = new Set(
    row.pauses.flatMap(({ platform, reason }) => (reason === BREAKER_REASON ? [platform] : [])),
  )
  return Object.fromEntries(
    narrowFirst.map(({ platform, lanes, reason, pausedAt }) => [
      platform,
      {
        reason,
        lanes,
        ...(isBreakerOpen.has(platform) && { guardTripped: true }),
        timestampPaused: timestampOf(pausedAt),
      },
    ]),
  )
}

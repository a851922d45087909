// An import of applications with their credentials. There are few of them, and each secret is parsed and encrypted by itself, so that
// they are stored one after the other. Each line is known to be well-formed.
import { isDeepStrictEqual } from 'node:util'
import {
  ApiError,
  capitalized,
  PLATFORMS,
  PROVIDER_NAMES,
  type ImportedApplication,
  type ImportResult,
  type LineError,
  type Platform,
} from '@push-server/contract'
import { hmsSecret, InvalidCredentials, PROVIDERS, type StoredCredentials } from '@push-server/providers'
import type { ImportCounts, Store } from '@push-server/store'
import { importFile, type ImportFile, type Staging } from '../imports/index.ts'
import { besideAccount } from './huawei-credentials.ts'
import { refuseUnknownKey } from './upload.ts'

type ApplicationStore = Pick<Store, 'applications' | 'credentials'>

/** They are held until the last line was read. */
const MOST_APPLICATIONS = 10_000

interface ApplicationLine {
  appId: string
  credentials: { platform: Platform; value: StoredCredentials }[]
}

/** Known applications get the credentials of their line; platforms that it does not name stay as they are. */
export function importApplications(
  store: ApplicationStore,
  file: ImportFile<ImportedApplication>,
): Promise<ImportResult> {
  return importFile(file, {
    staging: openStaging(store),
    read: (items) => items.map(({ line, value }) => readLine(line, value)),
  })
}

function openStaging(store: ApplicationStore): Staging<ApplicationLine> {
  const staged: ApplicationLine[] = []
  return {
    async stage(rows) {
      staged.push(...rows)
      if (staged.length > MOST_APPLICATIONS)
        throw new ApiError(
          'ERROR_TOO_LARGE',
          `The file has more than ${MOST_APPLICATIONS} applications; nothing was kept`,
        )
    },
    async apply({ dryRun, signal }) {
      const counts: ImportCounts = { imported: 0, updated: 0, kept: 0 }
      for (const application of staged) {
        signal.throwIfAborted()
        counts[await applyLine(store, application, dryRun)] += 1
      }
      return counts
    },
    async close() {},
  }
}

async function applyLine(
  store: ApplicationStore,
  { appId, credentials }: ApplicationLine,
  dryRun: boolean,
): Promise<keyof ImportCounts> {
  const known = await store.applications.find(appId)
  if (!known && dryRun) return 'imported'
  const isNew = !known && (await store.applications.create(appId))
  const application = known ?? (await store.applications.find(appId))
  if (!application) throw new Error('an application went while its line was applied')
  let isChanged = false
  for (const { platform, value } of credentials) {
    const key = { applicationId: application.id, platform }
    const current = await store.credentials.open(key)
    // A line has the client of HMS alone.
    const next = platform === 'huawei' ? besideAccount(value, current) : value
    if (current && isDeepStrictEqual(current.settings, next.settings) && current.secret.equals(next.secret)) continue
    isChanged = true
    if (dryRun) continue
    const stored =
      platform === 'huawei'
        ? store.credentials.change(key, (row) =>
            besideAccount(value, row && { settings: row.settings, secret: row.open() }),
          )
        : store.credentials.put(key, value)
    await stored.catch(refuseUnknownKey)
  }
  return isNew ? 'imported' : isChanged ? 'updated' : 'kept'
}

/** What a platform's members hold; the secret is undefined where they set nothing. */
const PARTS: Record<
  Platform,
  (line: ImportedApplication) => Omit<StoredCredentials, 'secret'> & { secret: Buffer | string | undefined }
> = {
  ios: (line) => ({
    settings: {
      bundle: line.apnsBundle ?? '',
      keyId: line.apnsKeyId ?? '',
      teamId: line.apnsTeamId ?? '',
      environment: line.apnsEnvironment ?? null,
    },
    secret: decoded(line.apnsPrivateKeyBase64),
  }),
  android: (line) => ({
    settings: { projectId: line.fcmProjectId ?? '' },
    secret: decoded(line.fcmPrivateKeyBase64),
  }),
  huawei: ({ hmsProjectId, hmsClientId, hmsClientSecret }) => ({
    settings: { projectId: hmsProjectId ?? '' },
    secret: hmsClientSecret ? hmsSecret({ clientId: hmsClientId ?? '', clientSecret: hmsClientSecret }) : undefined,
  }),
}

const NO_BASE64 = 'must be base64'

function readLine(line: number, application: ImportedApplication): ApplicationLine | LineError {
  const credentials: ApplicationLine['credentials'] = []
  for (const platform of PLATFORMS) {
    const { settings, secret } = PARTS[platform](application)
    if (secret === undefined) continue
    const wrong = (field: string, hint: string) => ({
      line,
      fieldName: `${PROVIDER_NAMES[platform]}${capitalized(field)}`,
      hint,
    })
    if (typeof secret === 'string') return wrong('privateKeyBase64', secret)
    const blank = Object.entries(settings).find(([, value]) => value?.trim() === '')
    if (blank) return wrong(blank[0], 'must not be blank')
    const problem = problemOf(platform, { settings, secret })
    if (problem) return wrong(problem.field, problem.message)
    credentials.push({ platform, value: { settings, secret } })
  }
  return { appId: application.appId, credentials }
}

function problemOf(platform: Platform, credentials: StoredCredentials): InvalidCredentials | undefined {
  try {
    PROVIDERS[platform].verify(credentials)
    return undefined
  } catch (error) {
    if (error instanceof InvalidCredentials) return error
    throw error
  }
}

/** Line breaks do not count; what is wrong with a text that is no base64. */
function decoded(text: string | null | undefined): Buffer | string | undefined {
  const packed = text?.replaceAll(/\s/g, '') ?? ''
  if (packed === '') return undefined
  return /^[A-Za-z0-9+/]+={0,2}$/.test(packed) ? Buffer.from(packed, 'base64') : NO_BASE64
}

// An import of devices, from a former server say: many lines in batches. Each line is known to be well-formed.
import {
  platformOf,
  refusal,
  TEXT,
  type ImportedDevice,
  type ImportResult,
  type LineError,
} from '@push-server/contract'
import type { ApplicationRow, ImportedRow, Store } from '@push-server/store'
import { createLineApplications, importFile, timeOf, type ImportFile } from '../imports/index.ts'
import { readToken } from './token.ts'

export interface ImportRequest extends ImportFile<ImportedDevice> {
  /** Of all lines; undefined: each names its own. */
  appId: string | undefined
  /** Whether the local registry stores the activations of the devices. */
  keep: boolean
}

/** The registry of activations is not called. Nothing is changed before the last line was read. Refuses a file of which nothing is kept. */
export async function importDevices(
  store: Pick<Store, 'applications' | 'openDeviceImport'>,
  { appId, keep, ...file }: ImportRequest,
): Promise<ImportResult> {
  if (appId !== undefined && !(await store.applications.find(appId))) throw refusal(TEXT.applicationUnknown)
  const applications = createLineApplications(store, appId)
  const staging = store.openDeviceImport()
  return importFile(file, {
    staging: { ...staging, apply: (options) => staging.apply({ ...options, keep }) },
    async read(items) {
      await applications.load(items.map(({ value }) => value.appId))
      return items.map(({ line, value }) => {
        const application = applications.of(line, value.appId)
        return 'hint' in application ? application : rowOf(line, value, application)
      })
    },
    drop: (most) => staging.dropForeign(most),
    dropReason: { fieldName: 'activationId', hint: 'belongs to another application' },
  })
}

function rowOf(line: number, device: ImportedDevice, application: ApplicationRow): ImportedRow | LineError {
  const platform = platformOf(device.platform)
  if (!platform) return { line, fieldName: 'platform', hint: 'is not a known platform' }
  const read = readToken(platform, device)
  if ('hint' in read) return { line, fieldName: 'token', hint: read.hint }
  const registeredAt = timeOf(line, 'timestampLastRegistered', device.timestampLastRegistered)
  if (registeredAt !== null && 'hint' in registeredAt) return registeredAt
  return {
    line,
    applicationId: application.id,
    activationId: device.activationId,
    userId: device.userId,
    platform,
    environment: device.environment ?? null,
    ...read,
    // A former server has null for what is not active; left out, it is as in a registration.
    active: device.active === undefined || device.active === true,
    registeredAt,
  }
}

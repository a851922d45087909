// An import of devices, from a former server say: many lines in batches. Each line is known to be well-formed.
import {
  instantOf,
  platformOf,
  refusal,
  TEXT,
  type ImportedDevice,
  type ImportResult,
  type LineError,
} from '@push-server/contract'
import type { DeviceImport, ImportedRow, Store } from '@push-server/store'
import { createImportErrors, MOST_ERRORS, refusalOfFile, type ImportFile } from '../imports/index.ts'
import { readToken } from './token.ts'

export interface ImportRequest extends ImportFile<ImportedDevice> {
  appId: string
  /** Whether the local registry stores the activations of the devices. */
  keep: boolean
}

/** The registry of activations is not called. Nothing is changed before the last line was read. Refuses a file of which nothing is kept. */
export async function importDevices(
  store: Pick<Store, 'applications' | 'openDeviceImport'>,
  { appId, partial, keep, batches, signal }: ImportRequest,
): Promise<ImportResult> {
  const application = await store.applications.find(appId)
  if (!application) throw refusal(TEXT.applicationUnknown)
  const staging = store.openDeviceImport(application.id)
  try {
    const failures = await stageAll(staging, batches)
    if (failures.count > 0 && !partial) throw refusalOfFile(failures)
    const counts = await staging.apply({ keep, signal })
    if (failures.count > 0 && counts.imported + counts.updated + counts.kept === 0) throw refusalOfFile(failures)
    return { ...counts, failed: failures.count, errors: failures.first }
  } finally {
    await staging.close()
  }
}

async function stageAll(staging: DeviceImport, batches: ImportRequest['batches']) {
  const failures = createImportErrors()
  for await (const batch of batches) {
    failures.add(batch.failures)
    const rows: ImportedRow[] = []
    for (const { line, value } of batch.items) {
      const row = rowOf(line, value)
      if ('hint' in row) failures.add([row])
      else rows.push(row)
    }
    await staging.stage(rows)
  }
  const foreign = await staging.dropForeign(MOST_ERRORS)
  failures.add(
    foreign.lines.map((line) => ({ line, fieldName: 'activationId', hint: 'belongs to another application' })),
  )
  return { count: failures.count() + foreign.count - foreign.lines.length, first: failures.first() }
}

function rowOf(
  line: number,
  { timestampLastRegistered: registered, ...device }: ImportedDevice,
): ImportedRow | LineError {
  const platform = platformOf(device.platform)
  if (!platform) return { line, fieldName: 'platform', hint: 'is not a known platform' }
  const read = readToken(platform, device.token)
  if ('hint' in read) return { line, fieldName: 'token', hint: read.hint }
  const registeredAt = registered ? instantOf(registered) : null
  if (registeredAt === undefined || (registeredAt !== null && registeredAt < 0))
    return { line, fieldName: 'timestampLastRegistered', hint: 'must be a time since 1970, in ISO 8601 with an offset' }
  return {
    line,
    activationId: device.activationId,
    userId: device.userId,
    platform,
    environment: device.environment ?? null,
    token: read.token,
    active: device.active ?? true,
    registeredAt: registeredAt === null ? null : new Date(registeredAt),
  }
}

// An import of inbox messages with their ids, times and whether they were read. Each line is known to be well-formed.
import type { ImportedInboxMessage, ImportResult, InboxMessageType, LineError } from '@push-server/contract'
import type { ImportedInboxRow } from '@push-server/store'
import type { Context } from '../context.ts'
import { createLineApplications, importFile, timeOf, type ImportFile } from '../imports/index.ts'

interface Parts {
  store: Pick<Context['store'], 'applications' | 'openInboxImport'>
  config: Pick<Context['config'], 'inboxMaxAge'>
}

/** A known message stays as it is, but that read wins over unread, with the earlier time. What was deleted here does not come back. */
export function importInbox(
  { store, config: { inboxMaxAge: maxAge } }: Parts,
  file: ImportFile<ImportedInboxMessage>,
): Promise<ImportResult> {
  const applications = createLineApplications(store)
  const staging = store.openInboxImport()
  return importFile(file, {
    staging: { ...staging, apply: (options) => staging.apply({ ...options, maxAge }) },
    async read(items) {
      await applications.load(items.flatMap(({ value }) => value.applications))
      return items.map(({ line, value }) => {
        const rows = [...new Set(value.applications)].map((appId) => applications.of(line, appId))
        const unknown = rows.find((row) => 'hint' in row)
        if (unknown) return { ...unknown, fieldName: 'applications', hint: 'names an application that is not known' }
        return rowOf(
          line,
          value,
          rows.flatMap((row) => ('id' in row ? [row.id] : [])),
        )
      })
    },
    drop: (most) => staging.dropForeign(most),
    dropReason: { fieldName: 'id', hint: "is the id of another user's message" },
  })
}

function rowOf(
  line: number,
  { id, userId, type, subject, summary, body, ...message }: ImportedInboxMessage,
  applicationIds: readonly number[],
): ImportedInboxRow | LineError {
  const createdAt = timeOf(line, 'timestampCreated', message.timestampCreated)
  if (createdAt === null || 'hint' in createdAt)
    return createdAt ?? { line, fieldName: 'timestampCreated', hint: 'must not be null' }
  const readAt = timeOf(line, 'timestampRead', message.timestampRead)
  if (readAt !== null && 'hint' in readAt) return readAt
  // It may be past: such a message is not brought.
  const validUntil = timeOf(line, 'validUntil', message.validUntil === '' ? null : message.validUntil)
  if (validUntil !== null && 'hint' in validUntil) return validUntil
  const texts = { userId, type: type as InboxMessageType, subject, summary, body }
  const read = message.read ? (readAt ?? createdAt) : null
  return { line, id, ...texts, createdAt, readAt: read, validUntil, applicationIds }
}

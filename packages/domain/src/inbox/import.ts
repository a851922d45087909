// An import of inbox messages with their ids, times and whether they were read. Each line is known to be well-formed.
import type { ImportedInboxMessage, ImportResult, InboxMessageType, LineError } from '@push-server/contract'
import type { ImportedInboxRow, Store } from '@push-server/store'
import { createLineApplications, importFile, timeOf, type ImportFile } from '../imports/index.ts'

/** A known message stays as it is, but that read wins over unread, with the earlier time. */
export function importInbox(
  store: Pick<Store, 'applications' | 'openInboxImport'>,
  file: ImportFile<ImportedInboxMessage>,
): Promise<ImportResult> {
  const applications = createLineApplications(store)
  const staging = store.openInboxImport()
  return importFile(file, {
    staging,
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
  const texts = { userId, type: type as InboxMessageType, subject, summary, body }
  return { line, id, ...texts, createdAt, readAt: message.read ? (readAt ?? createdAt) : null, applicationIds }
}

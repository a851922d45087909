// Inbox messages as they are read, and which of them are shown.
import type { InboxMessageType } from '@push-server/contract'

export interface InboxSummaryRow {
  id: string
  type: InboxMessageType
  subject: string
  summary: string
  createdAt: Date
  readAt: Date | null
  validUntil: Date | null
}

export interface InboxMessageRow extends InboxSummaryRow {
  userId: string
  body: string
  appIds: string[]
}

/** Age in ms from which a message is as good as gone; undefined: it has none. */
export type MaxAge = number | undefined

/** Messages `m` that are shown at this moment. What has expired is removed a while later. */
export const LIVING = (maxAge: string) => `(m.valid_until IS NULL OR m.valid_until > now())
      AND (${maxAge}::float8 IS NULL OR m.created_at > now() - ${maxAge}::float8 * interval '1 ms')`

export const SUMMARY =
  'm.public_id AS id, m.type, m.subject, m.summary, m.created_at AS "createdAt", m.read_at AS "readAt", m.valid_until AS "validUntil"'
export const MESSAGE = `${SUMMARY}, m.user_id AS "userId", m.body`

// Quotas: what a key or an application may send, where that differs from the settings. One small table; null = as the settings say.
import type { Database } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'

export interface QuotaValues {
  messagesPerSecond: number | null
  burst: number | null
  /** Direct deliveries that may wait on one platform; of applications alone. */
  backlog: number | null
}

export interface ApplicationQuota extends QuotaValues {
  applicationId: number
  appId: string
}

export interface ListedQuota extends QuotaValues {
  /** Of one of the two. */
  keyId: string | null
  appId: string | null
}

export type QuotaSubject = { keyId: string } | { appId: string }

const VALUES = 'q.messages_per_second AS "messagesPerSecond", q.burst, q.backlog'

const OF_APPLICATIONS = statement({
  name: 'quotas-of-applications',
  text: `SELECT a.id AS "applicationId", a.app_id AS "appId", ${VALUES}
    FROM quotas q JOIN applications a ON a.id = q.application_id WHERE a.app_id IS NOT NULL`,
  notNull: { appId: 'the condition keeps nulls out' },
})

const LIST = statement({
  name: 'quotas-list',
  text: `SELECT q.key_id AS "keyId", a.app_id AS "appId", ${VALUES}
    FROM quotas q LEFT JOIN applications a ON a.id = q.application_id LEFT JOIN api_keys k ON k.id = q.key_id
    WHERE a.app_id IS NOT NULL OR k.revoked_at IS NULL AND k.id IS NOT NULL ORDER BY 1, 2`,
})

/** Members that are undefined stay as they are. */
export type QuotaChange = { [K in keyof QuotaValues]?: number | null | undefined }

/** Where its row is, by the row of the key or of the application: a name that is given again does not bring its quota along. */
async function whereOf(prisma: Database['prisma'], subject: QuotaSubject) {
  if ('keyId' in subject) {
    const key = await prisma.apiKey.findFirst({ where: { id: subject.keyId, revokedAt: null }, select: { id: true } })
    return key ? { keyId: key.id } : undefined
  }
  const application = await prisma.application.findUnique({ where: { appId: subject.appId }, select: { id: true } })
  return application ? { applicationId: application.id } : undefined
}

export const openQuotas = ({ prisma, query }: Database) => ({
  /** Those of applications that are not removed. */
  ofApplications: (): Promise<ApplicationQuota[]> => query(OF_APPLICATIONS),

  /** Of all keys in force and applications that have one. */
  list: (): Promise<ListedQuota[]> => query(LIST),

  /** False when there is no such application, or no key in force. */
  async change(subject: QuotaSubject, change: QuotaChange): Promise<boolean> {
    const where = await whereOf(prisma, subject)
    if (!where) return false
    await prisma.quota.upsert({ where, create: { ...where, ...change }, update: change })
    await prisma.quota.deleteMany({ where: { ...where, messagesPerSecond: null, burst: null, backlog: null } })
    return true
  },
})
export type QuotaStore = ReturnType<typeof openQuotas>

// Quotas: what a key or an application may send, where that differs from the settings. One small table; null = as the settings say.
import type { Database } from '../connection/database.ts'

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

const VALUES = { messagesPerSecond: true, burst: true, backlog: true } as const
const OF_APPLICATION = { application: { appId: { not: null } } }

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

export const openQuotas = ({ prisma }: Database) => ({
  /** Those of applications that are not removed. */
  async ofApplications(): Promise<ApplicationQuota[]> {
    const application = { select: { id: true, appId: true } }
    const rows = await prisma.quota.findMany({ where: OF_APPLICATION, select: { ...VALUES, application } })
    return rows.flatMap(({ application: owner, ...values }) =>
      typeof owner?.appId === 'string' ? { ...values, applicationId: owner.id, appId: owner.appId } : [],
    )
  },

  /** Of all keys in force and applications that have one. */
  async list(): Promise<ListedQuota[]> {
    const rows = await prisma.quota.findMany({
      where: { OR: [OF_APPLICATION, { key: { revokedAt: null } }] },
      select: { ...VALUES, keyId: true, application: { select: { appId: true } } },
      orderBy: [{ keyId: 'asc' }, { application: { appId: 'asc' } }],
    })
    return rows.map(({ application, ...quota }) => ({ ...quota, appId: application?.appId ?? null }))
  },

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

// Applications: single rows, so Prisma reads them.
import type { Platform } from '@push-server/contract'
import type { Database } from '../connection/database.ts'
import type { PauseRow } from '../chunks/pauses.ts'
import { statement } from '../connection/statement.ts'

export interface ApplicationRow {
  id: number
  appId: string
  /** Whether its messages may have raw blocks. */
  rawBlocks: boolean
  /** What is configured, secrets left out. */
  credentials: { platform: Platform; settings: Readonly<Record<string, string | null>> }[]
  pauses: PauseRow[]
}

const WITH_SETTINGS = {
  id: true,
  appId: true,
  rawBlocks: true,
  credentials: { select: { platform: true, settings: true } },
  pauses: { select: { platform: true, lanes: true, reason: true, pausedAt: true } },
} as const

/** The database's own clock says when: keys and activations without a row of their application are compared with it. */
const CREATE = statement({
  name: 'application-create',
  text: 'INSERT INTO applications (app_id) VALUES ($1) ON CONFLICT (app_id) DO NOTHING RETURNING id',
})

export const openApplications = ({ prisma, query }: Database) => ({
  /** False when there is one of that name already. */
  async create(appId: string): Promise<boolean> {
    return (await query(CREATE, [appId])).length > 0
  },

  async find(appId: string): Promise<ApplicationRow | undefined> {
    const row = await prisma.application.findUnique({ where: { appId }, select: WITH_SETTINGS })
    return (row ?? undefined) as ApplicationRow | undefined
  },

  /** Whether its messages may have raw blocks from now on. False when there is no such application. */
  async switchRawBlocks(appId: string, enabled: boolean): Promise<boolean> {
    const { count } = await prisma.application.updateMany({ where: { appId }, data: { rawBlocks: enabled } })
    return count > 0
  },

  /** Which of these there are, in no order. */
  async known(appIds: readonly string[]): Promise<string[]> {
    if (appIds.length === 0) return []
    const rows = await prisma.application.findMany({ where: { appId: { in: [...appIds] } }, select: { appId: true } })
    return rows.flatMap((row) => row.appId ?? [])
  },

  /** The rows of these names; those that there are not are left out. */
  async findAll(appIds: readonly string[]): Promise<ApplicationRow[]> {
    if (appIds.length === 0) return []
    const rows = await prisma.application.findMany({ where: { appId: { in: [...appIds] } }, select: WITH_SETTINGS })
    return rows as ApplicationRow[]
  },

  async list(): Promise<ApplicationRow[]> {
    const named = { appId: { not: null } }
    const rows = await prisma.application.findMany({ where: named, select: WITH_SETTINGS, orderBy: { id: 'asc' } })
    return rows as ApplicationRow[]
  },
})
export type Applications = ReturnType<typeof openApplications>

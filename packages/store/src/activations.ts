// The local registry of activations: single rows, so Prisma.
import type { ActivationStatus } from '@push-server/contract'
import type { Database } from './database.ts'

export interface ActivationRow {
  activationId: string
  userId: string
  status: ActivationStatus
  applicationId: string | null
}

export const openActivations = ({ prisma }: Database) => ({
  async find(activationId: string): Promise<ActivationRow | undefined> {
    return ((await prisma.activation.findUnique({ where: { activationId } })) ?? undefined) as ActivationRow | undefined
  },

  /** Creates it, or binds it to another user or status. */
  async put({ activationId, ...rest }: ActivationRow): Promise<void> {
    await prisma.activation.upsert({ where: { activationId }, create: { activationId, ...rest }, update: rest })
  },
})
export type Activations = ReturnType<typeof openActivations>

// The end of a soak: what was accepted has arrived, what is stored says so, and duplicates are no more than was in flight.
import { waitFor } from '@push-server/testing'
import type { Injected } from './failures.ts'
import { insist, wrapped } from './insist.ts'
import type { SentMessages } from './sent-messages.ts'
import { APP, type SoakStage } from './stage.ts'

/** For what hangs, not for what is slow. */
const DRAIN_MS = 600_000

export interface Judging {
  sentMessages: SentMessages
  injected: Injected
  print(line: string): void
}

/** Waits until nothing is open any more, prints what it finds; true when all is as promised. */
export async function judge(stage: SoakStage, { sentMessages, injected, print }: Judging): Promise<boolean> {
  await drain(stage)
  const allowed = printInjected(injected, print)
  const { expected, received, lost, strays, duplicated } = sentMessages.balance(stage.stack.simulator.pushes)
  print(`accepted for ${expected} phones (${sentMessages.runs.length} campaigns), received ${received}`)
  print(
    `lost ${lost.length}, duplicates ${duplicated} of ${allowed} allowed, received without being accepted ${strays}`,
  )
  for (const key of lost.slice(0, 10)) print(`  lost: ${key}`)
  const failures = [...(await failuresOfRows(stage, sentMessages)), ...(await failuresOfRuns(stage, sentMessages))]
  for (const failure of failures) print(`  ${failure}`)
  return lost.length === 0 && strays === 0 && duplicated <= allowed && failures.length === 0 && expected > 0
}

async function drain({ stack: { database, api, simulator } }: SoakStage): Promise<void> {
  simulator.forgetResponses()
  // A push of the last moment may have been refused after the platform was resumed.
  await insist(api, ['POST', '/admin/app/ios/resume', wrapped({ appId: APP })])
  const isDone = async () => {
    const [row] = await database.query<{ open: number }>(
      `SELECT (SELECT count(*) FROM chunks WHERE settled_at IS NULL)::int
         + (SELECT count(*) FROM runs WHERE state IN ('fanning-out', 'sending'))::int AS open`,
    )
    return row?.open === 0
  }
  await waitFor('everything accepted to settle', isDone, DRAIN_MS)
}

/** Returns how many duplicates they allow together. */
function printInjected(injected: Injected, print: (line: string) => void): number {
  const rows = [...injected].filter(([, times]) => times > 0)
  const byName = Map.groupBy(rows, ([{ name }]) => name)
  for (const [name, some] of byName)
    print(`  ${String(some.reduce((sum, [, times]) => sum + times, 0)).padStart(4)} × ${name}`)
  return rows.reduce((sum, [{ mayDuplicate }, times]) => sum + mayDuplicate * times, 0)
}

async function failuresOfRows({ stack: { database } }: SoakStage, { messageIds }: SentMessages): Promise<string[]> {
  const statuses = await database.query<{ status: string; reason: string | null; count: number }>(
    `SELECT status, reason, count(*)::int AS count FROM deliveries WHERE message_id = ANY($1::uuid[]) AND status <> 'sent'
     GROUP BY 1, 2`,
    [messageIds],
  )
  const [stored] = await database.query<{ count: number }>('SELECT count(*)::int AS count FROM messages')
  const [devices] = await database.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM devices WHERE dropped_at IS NOT NULL',
  )
  const accepted = new Set(messageIds).size
  return [
    ...statuses.map(({ status, reason, count }) => `${count} deliveries are ${status}: ${reason}`),
    ...(stored?.count === accepted ? [] : [`${accepted} messages were accepted, ${stored?.count} are stored`]),
    ...(devices?.count === 0 ? [] : [`${devices?.count} devices with good tokens were dropped`]),
  ]
}

async function failuresOfRuns({ stack: { api } }: SoakStage, { runs }: SentMessages): Promise<string[]> {
  const failures: string[] = []
  for (const { campaignId, users } of runs) {
    const { body } = await api.get(`/push/campaign/${campaignId}/detail`)
    const { state, result } = body.responseObject
    const isWhole = Object.values(result as Record<string, { sent: number; total: number }>).every(
      ({ sent, total }) => sent === users && total === users,
    )
    if (state !== 'sent' || !isWhole) failures.push(`campaign ${campaignId} is ${state}: ${JSON.stringify(result)}`)
  }
  return failures
}

// One run of a campaign, sent through the API and followed until its last outcome is stored.
import { setTimeout as sleep } from 'node:timers/promises'
import { accepted, type Server } from './server.ts'
import type { Stage } from './stage.ts'

export interface Sending {
  server: Server
  stage: Stage
  /** Of the campaign. */
  id: string
  /** How many pushes it comes to. */
  devices: number
}

/** Milliseconds since the request to send it. */
export interface CampaignTimes {
  totalMs: number
  firstPushMs: number
}

/** To catch the first push, and afterwards. */
const POLL_MS = { first: 10, later: 50 }
/** While pushes are missing the gateway is polled rarely: every request costs the database that is measured. */
const ASK_EVERY = 20

/** Resolves when the campaign is sent. One that was sent before is sent again. */
export async function sendCampaign({ server, stage, id, devices }: Sending): Promise<CampaignTimes> {
  const { pushes: former } = await stage.seen()
  const start = performance.now()
  await accepted('live', server.api.post(`/push/campaign/send/live/${id}?resend=true`, {}))
  let firstPushMs: number | undefined
  for (let polls = 1; ; polls++) {
    const pushes = (await stage.seen()).pushes - former
    if (pushes > 0) firstPushMs ??= performance.now() - start
    const mayBeSent = pushes >= devices || polls % ASK_EVERY === 0
    if (mayBeSent && (await stateOf(server, id)) === 'sent') {
      const totalMs = performance.now() - start
      return { totalMs, firstPushMs: firstPushMs ?? totalMs }
    }
    await sleep(firstPushMs === undefined || pushes >= devices ? POLL_MS.first : POLL_MS.later)
  }
}

async function stateOf({ api }: Server, id: string): Promise<string> {
  return (await api.get(`/push/campaign/${id}/progress`)).body.responseObject.state
}

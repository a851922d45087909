// Synchronous direct messages on an idle server, and while a campaign runs: how long each takes.
import { accepted, APP, type Server } from './server.ts'

export interface Lanes {
  /** Milliseconds of each send, in ascending order. */
  idle: number[]
  busy: number[]
  /** It ended before all the messages were sent. */
  campaignEndedFirst: boolean
}

const CALLERS = 4

/** The campaign may have been sent before. A first series is not counted. */
export async function runLanes(server: Server, campaign: string, count: number): Promise<Lanes> {
  const { api } = server
  await sendDirect(server, count, () => false)
  const idle = await sendDirect(server, count, () => false)
  await accepted('live', api.post(`/push/campaign/send/live/${campaign}?resend=true`, {}))
  let isSent = false
  const watch = setInterval(() => {
    void api
      .get(`/push/campaign/${campaign}/progress`)
      .then(({ body }) => (isSent ||= body.responseObject.state === 'sent'))
  }, 500)
  try {
    return { idle, busy: await sendDirect(server, count, () => isSent), campaignEndedFirst: isSent }
  } finally {
    clearInterval(watch)
  }
}

export const quantile = (sorted: readonly number[], share: number) =>
  sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN

/** Milliseconds of each of up to so many sends to users in turn; ends early when it is over. */
async function sendDirect({ api }: Server, count: number, isOver: () => boolean): Promise<number[]> {
  const times: number[] = []
  let next = 1
  async function call(): Promise<void> {
    while (times.length < count && !isOver()) {
      const userId = `user-${next++}`
      const start = performance.now()
      const { body } = await api.post('/push/message/send', {
        appId: APP,
        message: { userId, body: { title: 'Code 1234', body: 'Your code is 1234.' } },
      })
      times.push(performance.now() - start)
      const { ios, android, huawei } = body.responseObject.result
      if (ios.sent + android.sent + huawei.sent !== 1) throw new Error(JSON.stringify(body))
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, call))
  return times.toSorted((a, b) => a - b)
}

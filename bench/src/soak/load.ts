// The load: single messages, waited for and not, batches, campaigns that are held and resumed, registrations, imports; each in
// a loop of its own. A request that fails is sent again, as a careful back end does.
import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { PLATFORMS } from '@push-server/contract'
import { acceptSurely } from '@push-server/testing'
import { insist, wrapped } from './insist.ts'
import type { SentMessages } from './sent-messages.ts'
import { APP, PREFIXES, USERS, type SoakStage } from './stage.ts'

export interface Load {
  /** Rejects on a response that must never occur. */
  failed: Promise<never>
  /** Resolves when what is under way is accepted. */
  stop(): Promise<void>
}

interface Loading extends SoakStage {
  sentMessages: SentMessages
  random: () => number
  signal: AbortSignal
}

const BATCH = 20
const CAMPAIGN_USERS = 200

export function startLoad(stage: SoakStage, options: Pick<Loading, 'sentMessages' | 'random'>): Load {
  const stopping = new AbortController()
  const loading: Loading = { ...stage, ...options, signal: stopping.signal }
  const loops: [act: (loading: Loading) => Promise<void>, everyMs: number][] = [
    [sendAndWait, 150],
    [sendLater, 150],
    [sendBatch, 400],
    [runCampaign, 1_000],
    [registerAndSend, 500],
    [importDevices, 3_000],
  ]
  const running = Promise.all(loops.map(([act, everyMs]) => loop(loading, act, everyMs)))
  const failed = running.then(() => new Promise<never>(() => {}))
  // Handled by whoever awaits it; until then it is no unhandled rejection.
  failed.catch(() => {})
  return {
    failed,
    async stop() {
      stopping.abort()
      await running
    },
  }
}

async function loop(loading: Loading, act: (loading: Loading) => Promise<void>, everyMs: number): Promise<void> {
  while (!loading.signal.aborted) {
    await act(loading)
    await sleep(everyMs * (0.5 + loading.random()))
  }
}

const anyUser = ({ random }: Loading) => 1 + Math.floor(random() * USERS)
const tokenOf = (prefix: string, user: number) => prefix + user.toString(16).padStart(63, '0')
const tokensOf = (user: number) => PLATFORMS.map((platform) => tokenOf(PREFIXES[platform], user))
const bodyOf = (title: string) => ({ title, body: 'We open again on Monday.' })

async function send(loading: Loading, mode: 'SYNCHRONOUS' | 'ASYNCHRONOUS'): Promise<void> {
  const { stack, sentMessages } = loading
  const user = anyUser(loading)
  const title = sentMessages.newTitle()
  const message = { userId: `${APP}-${user}`, body: bodyOf(title) }
  const { messageIds } = await acceptSurely(stack.api, '/push/message/send', { appId: APP, message, mode })
  sentMessages.expect(title, tokensOf(user))
  sentMessages.messageIds.push(...messageIds)
}

const sendAndWait = (loading: Loading) => send(loading, 'SYNCHRONOUS')
const sendLater = (loading: Loading) => send(loading, 'ASYNCHRONOUS')

async function sendBatch(loading: Loading): Promise<void> {
  const { stack, sentMessages } = loading
  const items = Array.from({ length: BATCH }, () => ({ user: anyUser(loading), title: sentMessages.newTitle() }))
  const batch = items.map(({ user, title }) => ({ userId: `${APP}-${user}`, body: bodyOf(title) }))
  const { messageIds } = await acceptSurely(stack.api, '/push/message/batch/send', { appId: APP, batch })
  for (const { user, title } of items) sentMessages.expect(title, tokensOf(user))
  sentMessages.messageIds.push(...messageIds)
}

/** Held and resumed on its way, and left to itself then. */
async function runCampaign(loading: Loading): Promise<void> {
  const { sentMessages, random } = loading
  const title = sentMessages.newTitle()
  const created = await insist(loading.stack.api, [
    'POST',
    '/push/campaign/create',
    wrapped({ appId: APP, message: bodyOf(title) }),
  ])
  const campaignId = String(created.body.responseObject.id)
  const users = Array.from({ length: CAMPAIGN_USERS }, (_, index) => index + 1)
  const names = users.map((user) => `${APP}-${user}`)
  await insist(loading.stack.api, ['PUT', `/push/campaign/${campaignId}/user/add`, wrapped(names)])
  const isDone = (text: string) => text.includes('Campaign is') || text.includes('already sent')
  await insist(loading.stack.api, ['POST', `/push/campaign/send/live/${campaignId}`, wrapped({})], { isDone })
  sentMessages.expect(title, users.flatMap(tokensOf))
  sentMessages.runs.push({ campaignId, users: CAMPAIGN_USERS })
  for (const verb of ['pause', 'resume']) {
    await sleep(random() * 600)
    await insist(loading.stack.api, ['POST', `/push/campaign/${campaignId}/${verb}`, wrapped({})], { isDone })
  }
}

async function registerAndSend(loading: Loading): Promise<void> {
  const { stack, sentMessages } = loading
  const token = `d${randomBytes(31).toString('hex')}0`
  const userId = `new-${token.slice(0, 16)}`
  const device = { appId: APP, platform: 'ios', token, activationId: randomUUID(), userId }
  await insist(loading.stack.api, ['POST', '/push/device/create', wrapped(device)])
  const title = sentMessages.newTitle()
  const message = { userId, body: bodyOf(title) }
  const { messageIds } = await acceptSurely(stack.api, '/push/message/send', { appId: APP, message })
  sentMessages.expect(title, [token])
  sentMessages.messageIds.push(...messageIds)
}

/** A hundred iPhones of one user, who then gets a message. */
async function importDevices(loading: Loading): Promise<void> {
  const { stack, sentMessages } = loading
  const userId = `imported-${randomUUID().slice(0, 8)}`
  const tokens = Array.from({ length: 100 }, () => `e${randomBytes(31).toString('hex')}0`)
  const lines = tokens.map((token) => JSON.stringify({ userId, activationId: randomUUID(), platform: 'ios', token }))
  const type = 'application/x-ndjson'
  await insist(loading.stack.api, ['PUT', `/push/device/import?appId=${APP}`, lines.join('\n')], { type })
  const title = sentMessages.newTitle()
  const message = { userId, body: bodyOf(title) }
  const { messageIds } = await acceptSurely(stack.api, '/push/message/send', { appId: APP, message })
  sentMessages.expect(title, tokens)
  sentMessages.messageIds.push(...messageIds)
}

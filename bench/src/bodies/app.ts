// The gateway's API without anything behind it: a request goes its whole way, with every platform configured, until it would
// store or read something; there it ends. So what is measured is what its body costs.
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Context } from '@push-server/domain'
import { PLATFORMS } from '@push-server/contract'
import { buildApp } from '@push-server/api-gateway'
import { createHealth, createLogger, createMetrics, readConfig } from '@push-server/runtime'

const config = readConfig(
  { DATABASE_URL: 'postgres://nowhere', ENCRYPTION_KEY: randomBytes(32).toString('base64'), LOG_LEVEL: 'silent' },
  ['databaseUrl', 'encryptionKey'],
)

const application = { id: 1, appId: 'mobile-app', credentials: PLATFORMS.map((platform) => ({ platform })), pauses: [] }
const campaign = { id: 1, appId: 'mobile-app', sent: false, message: {}, state: 'created' }
const counts = { imported: 0, updated: 0, kept: 0 }
const staging = {
  stage: async () => {},
  dropUnknown: async () => ({ count: 0, lines: [] }),
  dropTaken: async () => ({ count: 0, lines: [] }),
  dropForeign: async () => ({ count: 0, lines: [] }),
  apply: async () => counts,
  close: async () => {},
}

/** Every access to the store that is not among `known` ends the request. */
const ends = <T extends object>(known: T): T =>
  new Proxy(known, { get: (target, name) => Reflect.get(target, name) ?? end })
const end = async () => Promise.reject(new Error('the store ends the request'))

const store = {
  applications: ends({ find: async () => application, findAll: async () => [application] }),
  campaigns: ends({ find: async () => campaign }),
  messages: ends({
    audience: async () => ({ applicationId: 1, configured: PLATFORMS, rawBlocks: false, recipients: [] }),
  }),
  devices: ends({}),
  credentials: ends({}),
  inbox: ends({}),
  runs: ends({}),
  openDeviceImport: () => staging,
  openUserImport: () => staging,
  openCampaignImport: () => staging,
  openInboxImport: () => staging,
}

const log = createLogger(config, 'bench')
const context = {
  config,
  log,
  store,
  queues: { boards: () => [] },
  health: createHealth(),
  metrics: createMetrics({ perApplication: false }),
  access: { isOn: async () => false, admit: async () => undefined },
}

const parts = {
  waiters: {
    channel: '',
    wait: async () => undefined,
    left: (ms: number) => ms,
    endWithin: () => {},
    close: async () => {},
  },
  pressure: { check() {}, quotaOf: () => undefined, close: async () => {} },
  batches: { audience: end, findKeyed: end, store: end, tally: end },
  activations: { keeps: false, believes: false, find: end, applications: end, close: async () => {} },
}

export const { bodyLimit, campaignBodyLimit, importLimit, batchSize } = config

/** Imports limit how long a sender may be silent; the request that `inject` makes up has no such limit. */
Object.defineProperty(Readable.prototype, 'setTimeout', { value: () => {}, configurable: true })

export const openApp = () => buildApp(context as unknown as Context, parts)

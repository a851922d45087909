// What is moved, in the order in which it depends on each other: how a row of the old database becomes a line of an import, and
// why it does not. Pure.
import { platformOf } from '@push-server/contract'

/** As the old database or an export has it: the members of an import's line, and some that say why it is none. */
export type OldRow = Readonly<Record<string, unknown>>

export interface Kind {
  /** Also the name of its file in a folder of exports. */
  name: 'applications' | 'devices' | 'inbox' | 'campaigns' | 'campaign-users'
  /** The import operation. */
  path: string
  /** Why a row cannot be moved; undefined when it can. */
  obstacle(row: OldRow): string | undefined
  /** What is worth knowing of a row that is moved. */
  remark?(row: OldRow): string | undefined
  /** Rows of one group are sent and compared together. */
  groupOf(row: OldRow): string
  /** How people find the row. No token and no secret. */
  nameOf(row: OldRow): string
  /** Lines of one request. */
  most: number
}

/** As the columns of a row that is not there come. */
const isMissing = (value: unknown) => value === null || value === undefined
const NO_APPLICATION = 'whose application has no row'
const DEPENDS = 'decided by APNS_USE_DEVELOPMENT: neither the device nor its application has an environment'
const text = (value: unknown) => (typeof value === 'string' || typeof value === 'number' ? String(value) : '')

export const KINDS: readonly Kind[] = [
  {
    name: 'applications',
    path: '/admin/app/import',
    obstacle: () => undefined,
    remark: (row) =>
      ['apnsPrivateKeyBase64', 'fcmPrivateKeyBase64', 'hmsClientSecret'].some((secret) => row[secret])
        ? undefined
        : 'without credentials: nothing can be pushed for it',
    groupOf: () => '',
    nameOf: ({ appId }) => text(appId),
    // One at a time, so that each error is named, whatever the target leaves out.
    most: 1,
  },
  {
    name: 'devices',
    path: '/push/device/import',
    obstacle: ({ appId, activationId, userId }) =>
      isMissing(appId)
        ? NO_APPLICATION
        : isMissing(activationId)
          ? 'without activation'
          : isMissing(userId)
            ? 'without user'
            : undefined,
    remark: ({ platform, environment, applicationEnvironment }) =>
      platformOf(text(platform).toLowerCase()) === 'ios' && isMissing(environment) && isMissing(applicationEnvironment)
        ? DEPENDS
        : undefined,
    groupOf: ({ appId, platform }) => `${text(appId)}, ${platformOf(text(platform).toLowerCase()) ?? text(platform)}`,
    nameOf: ({ activationId }) => `activation ${text(activationId)}`,
    most: 10_000,
  },
  {
    name: 'inbox',
    path: '/inbox/messages/import',
    obstacle: ({ applications }) =>
      Array.isArray(applications) && applications.length > 0 ? undefined : 'that no application shows',
    groupOf: () => '',
    nameOf: ({ id }) => text(id),
    most: 5_000,
  },
  {
    name: 'campaigns',
    path: '/push/campaign/import',
    obstacle: ({ appId, sent }) => (isMissing(appId) ? NO_APPLICATION : sent === true ? 'that were sent' : undefined),
    groupOf: ({ appId }) => text(appId),
    nameOf: ({ id }) => `campaign ${text(id)}`,
    most: 1_000,
  },
  {
    name: 'campaign-users',
    path: '/push/campaign/user/import',
    obstacle: ({ sent }) =>
      isMissing(sent) ? 'whose campaign has no row' : sent === true ? 'of campaigns that were sent' : undefined,
    groupOf: () => '',
    nameOf: ({ campaignId, userId }) => `user ${text(userId)} of campaign ${text(campaignId)}`,
    most: 20_000,
  },
]

/** Say why a row is no line, or belong to another row. */
const OUR_MEMBERS = new Set(['applicationEnvironment', 'sent'])

/** The line of an import. Only in `active` null says something else than a member that is left out. */
export const lineOf = (row: OldRow): OldRow =>
  Object.fromEntries(
    Object.entries(row).filter(([name, value]) => (!isMissing(value) || name === 'active') && !OUR_MEMBERS.has(name)),
  )

/** Devices that APNS_USE_DEVELOPMENT decides about. */
export const isUndecided = (remark: string) => remark === DEPENDS

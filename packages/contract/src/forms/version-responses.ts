// What responses have in the form of a version: member for member the models of the reference server's versions 1.7–1.9 and 1.10–2.x.
// The columns are closed: whatever is added to a response later is no part of them.
import Type, { type TSchema } from 'typebox'
import type { VersionForm } from './form.ts'

const text = Type.String()
const texts = Type.Array(text)
const integer = Type.Integer()
const truth = Type.Boolean()

const object = (members: Record<string, TSchema>) => Type.Object(members)
const okOf = (responseObject: TSchema) => object({ status: text, responseObject })
const pageOf = (responseObject: TSchema) => object({ status: text, page: integer, size: integer, responseObject })
const OK_ALONE = object({ status: text })

/** Of every error; whether there is a list of violations is the business of who makes the error. */
export const VERSION_ERROR = okOf(
  object({ code: text, message: text, violations: Type.Array(object({ fieldName: text, hint: text })) }),
)

/** Names of the platforms, and of the settings that an application's detail shows. */
const FAMILIES: Readonly<Record<VersionForm, { platforms: readonly string[]; settings: readonly string[] }>> = {
  '1.9': {
    platforms: ['ios', 'android', 'huawei'],
    settings: ['iosBundle', 'iosKeyId', 'iosTeamId', 'iosEnvironment', 'androidProjectId', 'huaweiProjectId'],
  },
  '1.10': {
    platforms: ['apns', 'fcm', 'hms'],
    settings: ['apnsBundle', 'apnsKeyId', 'apnsTeamId', 'apnsEnvironment', 'fcmProjectId', 'hmsProjectId'],
  },
}

const membersOf = (names: readonly string[], schema: TSchema) => Object.fromEntries(names.map((name) => [name, schema]))

const tally = object({ sent: integer, failed: integer, pending: integer, total: integer })

const campaignMessage = object({
  title: text,
  titleLocKey: text,
  titleLocArgs: texts,
  body: text,
  bodyLocKey: text,
  bodyLocArgs: texts,
  icon: text,
  badge: integer,
  sound: text,
  category: text,
  collapseKey: text,
  validUntil: text,
  extras: Type.Unsafe({ type: 'object' }),
})
const campaign = object({ id: integer, appId: text, sent: truth, message: campaignMessage })

const inboxSummary = { id: text, type: text, subject: text, summary: text, read: truth, timestampCreated: text }
const inboxMessage = object({ ...inboxSummary, userId: text, body: text, timestampRead: text, applications: texts })

function responsesIn(form: VersionForm): Readonly<Record<string, TSchema>> {
  const { platforms, settings } = FAMILIES[form]
  const application = object({ appId: text, ...membersOf(platforms, truth) })
  const sent = okOf(object({ mode: text, ...membersOf(platforms, tally) }))
  const applications = okOf(object({ applicationList: Type.Array(application) }))
  return {
    serviceStatus: okOf(
      object({
        applicationName: text,
        applicationDisplayName: text,
        applicationEnvironment: text,
        version: text,
        buildTime: text,
        timestamp: text,
      }),
    ),
    listApplications: applications,
    listUnconfiguredApplications: applications,
    describeApplication: okOf(object({ application, ...membersOf(settings, text) })),
    createApplication: okOf(object({ appId: text })),
    sendMessage: sent,
    sendBatch: sent,
    createCampaign: okOf(object({ id: integer })),
    deleteCampaign: okOf(object({ deleted: truth })),
    describeCampaign: okOf(campaign),
    listCampaigns: okOf(Type.Array(campaign)),
    listCampaignUsers: pageOf(object({ campaignId: integer, users: texts })),
    ...membersOf(
      ['createInboxMessage', 'describeInboxMessage', 'readInboxMessage', 'readInboxMessageByPost'],
      okOf(inboxMessage),
    ),
    listInboxMessages: pageOf(Type.Array(object(inboxSummary))),
    countInboxMessages: okOf(object({ countUnread: integer })),
    ...Object.fromEntries(WITHOUT_OBJECT.map((operation) => [operation, OK_ALONE])),
  }
}

/** Operations of the reference server that respond with `status` alone. */
const WITHOUT_OBJECT = [
  'createDevice',
  'createDeviceForActivations',
  'updateDeviceStatus',
  'removeDevice',
  'deleteDevice',
  'testCampaign',
  'sendCampaign',
  'addCampaignUsers',
  'deleteCampaignUsers',
  'readInbox',
  'readInboxByPost',
  ...['Ios', 'Android', 'Huawei', 'Apns', 'Fcm', 'Hms'].flatMap((name) => [`update${name}`, `remove${name}`]),
]

/** By operation; an operation that is not here is ours alone and has one form. */
export const VERSION_RESPONSES: Readonly<Record<VersionForm, Readonly<Record<string, TSchema>>>> = {
  '1.9': responsesIn('1.9'),
  '1.10': responsesIn('1.10'),
}

/** The operations whose errors list violations in the form of a version: the reference server validates their beans. */
export const VALIDATED_OPERATIONS: ReadonlySet<string> = new Set([
  'updateHuawei',
  'removeHuawei',
  'updateApns',
  'updateFcm',
  'updateHms',
  'createInboxMessage',
  'readInboxMessage',
  'readInboxMessageByPost',
  'readInbox',
  'readInboxByPost',
])

// Requests and responses about applications and their credentials.
import Type, { type Static, type TSchema } from 'typebox'
import { PLATFORMS, PROVIDER_NAMES, type Platform, type PlatformName } from './platform.ts'
import { byPlatform, byPlatformName, NotBlank, Nullable, optionally, Time, Words } from './schema.ts'

export const AppId = Type.String({
  minLength: 1,
  maxLength: 255,
  description: 'Identifier of the application.',
  examples: ['mobile-app'],
})

const flag = (description: string) => Type.Optional(Nullable(Type.Boolean({ description, default: false })))

export const ApnsEnvironmentName = Words('Environment', ['development', 'production'], {
  'x-case': 'lower',
  description: 'APNs environment; null leaves it to the server (APNS_USE_DEVELOPMENT).',
  examples: ['production'],
})

export const CreateApplicationRequest = Type.Object({ appId: AppId }, { title: 'CreateApplicationRequest' })

export const CreatedApplication = Type.Object({ appId: AppId }, { title: 'CreatedApplication' })

const includes = {
  includeIos: flag('Responds with the APNs settings.'),
  includeApns: flag('The same flag under its newer name.'),
  includeAndroid: flag('Responds with the FCM settings.'),
  includeFcm: flag('The same flag under its newer name.'),
  includeHuawei: flag('Responds with the HMS settings.'),
  includeHms: flag('The same flag under its newer name.'),
} satisfies Record<`include${Capitalize<PlatformName>}`, TSchema>

export const ApplicationDetailRequest = Type.Object(
  { appId: AppId, ...includes },
  { title: 'ApplicationDetailRequest' },
)
export type ApplicationDetailRequest = Static<typeof ApplicationDetailRequest>

/** Which providers an application has credentials for, in both families of names. */
export const ApplicationSummary = Type.Object(
  {
    appId: AppId,
    ...byPlatformName(Type.Boolean()),
  },
  { title: 'ApplicationSummary' },
)
export type ApplicationSummary = Static<typeof ApplicationSummary>

/** An application that PowerAuth Server knows and that is not configured here: nulls where others have flags. */
export const UnconfiguredApplication = Type.Object(
  {
    appId: AppId,
    ...byPlatformName(
      // Always null. Clients get the type of an ApplicationSummary: some generators fail on a member that can be nothing but null.
      Type.Unsafe<null>({ type: ['boolean', 'null'], description: 'Always null.', examples: [null] }),
    ),
  },
  { title: 'UnconfiguredApplication' },
)
export type UnconfiguredApplication = Static<typeof UnconfiguredApplication>

export const UnconfiguredList = Type.Object(
  { applicationList: Type.Array(UnconfiguredApplication) },
  { title: 'UnconfiguredList' },
)

/** The settings of a platform's credentials that are shown, each with an example. */
const SHOWN: Record<Platform, Record<string, string>> = {
  ios: { Bundle: 'some.bundle.id', KeyId: 'KEYID12345', TeamId: 'TEAMID1234', Environment: 'production' },
  android: { ProjectId: 'PROJECTID123' },
  huawei: { ProjectId: 'HMS123', Apis: '2, 3', AccountKeyId: '98a1c2', Category: 'FINANCE' },
}

/** `iosBundle`, `apnsBundle` and so on. */
const settings = Object.fromEntries(
  PLATFORMS.flatMap((platform) =>
    [platform, PROVIDER_NAMES[platform]].flatMap((family) =>
      Object.entries(SHOWN[platform]).map(([name, example]) => [
        `${family}${name}`,
        Type.Optional(Type.String({ examples: [example] })),
      ]),
    ),
  ),
)

/** Why a platform of an application is not pushed to. */
export const Pause = Type.Object(
  {
    reason: Type.String({ examples: ['InvalidProviderToken'] }),
    lanes: Words('PausedLanes', ['all', 'campaign'], {
      description: '`all`: nothing is sent. `campaign`: campaigns wait, direct messages are sent.',
    }),
    guardTripped: Type.Optional(
      Type.Boolean({
        description:
          'The circuit breaker is open: too many tokens are refused as if they belonged to another application or environment.',
      }),
    ),
    timestampPaused: Time('Since when it is paused.'),
  },
  { title: 'Pause' },
)

export const ApplicationDetail = Type.Object(
  {
    application: ApplicationSummary,
    rawBlocks: Type.Optional(
      Type.Boolean({ description: 'Messages of the application may have raw blocks. Left out: they may not.' }),
    ),
    ...settings,
    paused: Type.Optional(Type.Object(optionally(byPlatform(Pause)))),
  },
  { title: 'ApplicationDetail' },
)
export type ApplicationDetail = Static<typeof ApplicationDetail>

/** With what is paused, where something is. */
export const ListedApplication = Type.Object(
  { ...ApplicationSummary.properties, paused: Type.Optional(Type.Object(optionally(byPlatform(Pause)))) },
  { title: 'ListedApplication' },
)
export type ListedApplication = Static<typeof ListedApplication>

export const ApplicationList = Type.Object(
  { applicationList: Type.Array(ListedApplication) },
  { title: 'ApplicationList' },
)

/** Members of requests about credentials. */
export const applicationMember = {
  appId: NotBlank(255, { description: 'Identifier of the application.', examples: ['mobile-app'] }),
}
export const projectMember = {
  projectId: NotBlank(255, { description: 'Id of the project.', examples: ['PROJECTID123'] }),
}
export const LARGEST_KEY = 65_536

const UpdateIosRequest = Type.Object(
  {
    ...applicationMember,
    bundle: NotBlank(255, {
      description: 'Bundle id of the application, which is the topic of its pushes.',
      examples: ['some.bundle.id'],
    }),
    keyId: NotBlank(255, { description: 'Id of the signing key.', examples: ['KEYID12345'] }),
    teamId: NotBlank(255, { description: 'Id of the developer team.', examples: ['TEAMID1234'] }),
    environment: Type.Optional(Nullable(ApnsEnvironmentName)),
    privateKeyBase64: NotBlank(LARGEST_KEY, {
      description: 'The .p8 file (PKCS#8 PEM of a P-256 key), base64.',
      'x-example': 'apnsKey',
    }),
  },
  { title: 'UpdateIosRequest' },
)

const UpdateAndroidRequest = Type.Object(
  {
    ...applicationMember,
    ...projectMember,
    privateKeyBase64: NotBlank(LARGEST_KEY, {
      description: 'The JSON file of the Google service account, base64; its project_id must be the project id.',
      'x-example': 'serviceAccount',
    }),
  },
  { title: 'UpdateAndroidRequest' },
)

const UpdateHuaweiRequest = Type.Object(
  {
    ...applicationMember,
    ...projectMember,
    clientId: NotBlank(255, { description: 'OAuth 2.0 client id.', examples: ['100000001'] }),
    clientSecret: NotBlank(255, { description: 'OAuth 2.0 client secret.', examples: ['0123456789abcdef'] }),
  },
  { title: 'UpdateHuaweiRequest' },
)

/** What sets the credentials of an application, on each platform. */
export const UPDATE_REQUESTS = {
  ios: UpdateIosRequest,
  android: UpdateAndroidRequest,
  huawei: UpdateHuaweiRequest,
} satisfies Record<Platform, TSchema>
export type UpdateRequest<P extends Platform> = Static<(typeof UPDATE_REQUESTS)[P]>

export const RemoveCredentialsRequest = Type.Object(applicationMember, { title: 'RemoveCredentialsRequest' })

export const ResumePlatformRequest = Type.Object(applicationMember, { title: 'ResumePlatformRequest' })

export const CheckCredentialsRequest = Type.Object(applicationMember, { title: 'CheckCredentialsRequest' })

export const CheckedCredentials = Type.Object(
  {
    accepted: Type.Boolean({
      description: 'Whether the provider takes pushes with the stored credentials.',
      examples: [true],
    }),
    reason: Type.Optional(
      Type.String({
        description: 'Why not: a word of the provider, or `Timeout: …` and `Unsent: …` when it did not respond.',
        examples: ['InvalidProviderToken'],
      }),
    ),
    ms: Type.Integer({ description: 'How long the provider took, in milliseconds.', examples: [180] }),
    tried: Type.String({
      description: 'What was done. No phone shows anything of it.',
      examples: ['a background push to a token that no device has'],
    }),
  },
  { title: 'CheckedCredentials' },
)
export type CheckedCredentials = Static<typeof CheckedCredentials>

export const RemoveApplicationRequest = Type.Object({ appId: AppId }, { title: 'RemoveApplicationRequest' })

export const RemovedApplication = Type.Object(
  {
    appId: AppId,
    pending: Type.Integer({
      description: 'Number of deliveries that were pending and will not be pushed.',
      examples: [0],
    }),
  },
  { title: 'RemovedApplication' },
)
export type RemovedApplication = Static<typeof RemovedApplication>

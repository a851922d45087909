// The credentials of an application on each platform, under two families of paths: /admin/app/ios/update and /remove, whose
// texts existing clients know, and /admin/app/apns, whose errors are all reported at once.
import {
  capitalized,
  CheckCredentialsRequest,
  CheckedCredentials,
  OK,
  okWith,
  OkWith,
  PLATFORMS,
  PROVIDER_NAMES,
  RemoveCredentialsRequest,
  TEXT,
  UPDATE_REQUESTS,
  UpdateHuaweiAccountRequest,
  Wrapped,
  type Platform,
  type UpdateRequest,
} from '@push-server/contract'
import {
  checkCredentials,
  removeCredentials,
  removeHuaweiAccount,
  updateCredentials,
  updateHuaweiAccount,
  type Context,
} from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { fromBody, fromQuery } from '../validation/applications.ts'
import { bodyFromQuery } from '../validation/query-body.ts'
import { applicationNamed, enforce, enforceQuery, notBlank, notEmpty, type Rule } from '../validation/rules.ts'
import { responses, OK_RESPONSES } from '../openapi/responses.ts'

const tags = ['Administration']
const description =
  'The credentials are parsed: what cannot be a key or an account of the provider is refused and changes nothing. The provider does not ' +
  'hear of them; `check` tries them there. Ends a pause.'

/** What the older paths of each platform check first. */
const RULES: Record<Platform, { update: readonly Rule[]; remove: readonly Rule[] }> = {
  ios: {
    update: [
      ...applicationNamed,
      notEmpty('bundle', TEXT.bundleMissing),
      notEmpty('keyId', TEXT.keyIdMissing),
      notEmpty('teamId', TEXT.teamIdMissing),
      notEmpty('privateKeyBase64', TEXT.privateKeyMissing),
    ],
    remove: applicationNamed,
  },
  android: {
    update: [
      ...applicationNamed,
      notEmpty('projectId', TEXT.projectIdMissing),
      notEmpty('privateKeyBase64', TEXT.privateKeyMissing),
    ],
    remove: applicationNamed,
  },
  // Came later than the others: even its older paths report errors by field.
  huawei: { update: [], remove: [] },
}

const config = { scope: 'admin', applications: fromBody('appId') } as const

function updateRoutes<P extends Platform>(app: FastifyInstance, store: Context['store'], platform: P) {
  const provider = PROVIDER_NAMES[platform]
  for (const [url, name, rules] of [
    [`/admin/app/${platform}/update`, platform, RULES[platform].update],
    [`/admin/app/${provider}`, provider, []],
  ] as const)
    app.route<{ Body: { requestObject: UpdateRequest<P> } }>({
      method: ['PUT', 'POST'],
      url,
      config,
      schema: {
        tags,
        description,
        operationId: `update${capitalized(name)}`,
        summary: `Set the ${provider.toUpperCase()} credentials`,
        body: Wrapped(UPDATE_REQUESTS[platform]),
        response: OK_RESPONSES,
      },
      preValidation: enforce(rules),
      handler: async ({ body: { requestObject } }) => {
        await updateCredentials[platform](store, requestObject)
        return OK
      },
    })
}

const removeRoutes =
  (store: Context['store'], platform: Platform): FastifyPluginAsyncTypebox =>
  async (app) => {
    const provider = PROVIDER_NAMES[platform]
    const summary = `Remove the ${provider.toUpperCase()} credentials`
    app.route({
      method: ['DELETE', 'POST'],
      url: `/admin/app/${platform}/remove`,
      config,
      schema: {
        tags,
        operationId: `remove${capitalized(platform)}`,
        summary,
        body: Wrapped(RemoveCredentialsRequest),
        response: OK_RESPONSES,
      },
      preValidation: [bodyFromQuery('appId'), enforce(RULES[platform].remove)],
      handler: async ({ body: { requestObject } }) => {
        await removeCredentials(store, requestObject.appId, platform)
        return OK
      },
    })

    app.delete(
      `/admin/app/${provider}`,
      {
        config: { scope: 'admin', applications: fromQuery('appId') },
        schema: {
          tags,
          operationId: `remove${capitalized(provider)}`,
          summary,
          querystring: RemoveCredentialsRequest,
          response: OK_RESPONSES,
        },
        preValidation: enforceQuery([notBlank('appId', TEXT.credentialsUnknown(''))]),
      },
      async ({ query: { appId } }) => {
        await removeCredentials(store, appId, platform)
        return OK
      },
    )
  }

const accountDescription =
  'The service account pushes by version 3 of HMS to devices of HarmonyOS 5 and later, which are registered with `huaweiApi` 3. It stands ' +
  'beside the OAuth client of version 2: neither call changes the other one, and each has its own project.'

const accountRoutes =
  ({ store }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.route({
      method: ['PUT', 'POST'],
      url: '/admin/app/huawei/account/update',
      config,
      schema: {
        tags,
        operationId: 'updateHuaweiAccount',
        summary: 'Set the HMS service account',
        description: `${accountDescription} ${description}`,
        body: Wrapped(UpdateHuaweiAccountRequest),
        response: OK_RESPONSES,
      },
      preValidation: enforce(applicationNamed),
      handler: async ({ body: { requestObject } }) => {
        await updateHuaweiAccount(store, requestObject)
        return OK
      },
    })

    app.route({
      method: ['DELETE', 'POST'],
      url: '/admin/app/huawei/account/remove',
      config,
      schema: {
        tags,
        operationId: 'removeHuaweiAccount',
        summary: 'Remove the HMS service account',
        description: 'The OAuth client of version 2 stays. OK when there is no account, too.',
        body: Wrapped(RemoveCredentialsRequest),
        response: OK_RESPONSES,
      },
      preValidation: [bodyFromQuery('appId'), enforce(applicationNamed)],
      handler: async ({ body: { requestObject } }) => {
        await removeHuaweiAccount(store, requestObject.appId)
        return OK
      },
    })
  }

const checkDescription =
  'A worker of the platform pushes to a token that no device has (APNs), has a push validated with a new access token (FCM, HMS), or sends a test push (service account of HMS), within ' +
  '10 seconds. No phone shows anything of it, and nothing is changed. 503 when no worker was there.'

const checkRoutes =
  (context: Context, platform: Platform): FastifyPluginAsyncTypebox =>
  async (app) => {
    const provider = PROVIDER_NAMES[platform]
    for (const name of [platform, provider])
      app.post(
        `/admin/app/${name}/check`,
        {
          config,
          schema: {
            tags,
            operationId: `check${capitalized(name)}`,
            summary: `Try the ${provider.toUpperCase()} credentials at the provider`,
            description: checkDescription,
            body: Wrapped(CheckCredentialsRequest),
            response: responses(OkWith(CheckedCredentials)),
          },
          preValidation: enforce(applicationNamed),
        },
        async ({ body: { requestObject } }) => okWith(await checkCredentials(context, { ...requestObject, platform })),
      )
  }

export const credentialsRoutes = (context: Context) => async (app: FastifyInstance) => {
  const { store } = context
  for (const platform of PLATFORMS) updateRoutes(app, store, platform)
  for (const platform of PLATFORMS) await app.register(removeRoutes(store, platform))
  await app.register(accountRoutes(context))
  for (const platform of PLATFORMS) await app.register(checkRoutes(context, platform))
}

// The credentials of an application on each platform, under two families of paths: /admin/app/ios/update and /remove, whose
// texts existing clients know, and /admin/app/apns, whose errors are all reported at once.
import {
  OK,
  PROVIDER_NAMES,
  RemoveCredentialsRequest,
  TEXT,
  UpdateAndroidRequest,
  UpdateHuaweiRequest,
  UpdateIosRequest,
  Wrapped,
  type Platform,
} from '@push-server/contract'
import { removeCredentials, updateAndroid, updateHuawei, updateIos, type Context } from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import type { Static, TSchema } from 'typebox'
import { fromBody, fromQuery } from '../validation/applications.ts'
import { bodyFromQuery } from '../validation/query-body.ts'
import { enforce, notEmpty, notNull, required, type Rule } from '../validation/rules.ts'
import { OK_RESPONSES } from '../openapi/responses.ts'

const tags = ['Administration']
const description =
  'Credentials that the provider could not be reached with are refused and change nothing. Ends a pause.'
const named = [required(TEXT.objectMissing), notNull('appId', TEXT.appIdMissing)]

interface Paths {
  platform: Platform
  /** Of the provider, in names of operations. */
  provider: string
  /** Of the older paths. */
  rules: { update: readonly Rule[]; remove: readonly Rule[] }
}

interface CredentialsKind<Request extends TSchema> extends Paths {
  request: Request
  update(store: Context['store'], request: Static<Request>): Promise<void>
}

const config = { scope: 'admin', applications: fromBody('appId') } as const

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)

function updateRoutes<Request extends TSchema>(
  app: FastifyInstance,
  store: Context['store'],
  kind: CredentialsKind<Request>,
) {
  const { platform, provider, request, rules, update } = kind
  for (const [url, name, own] of [
    [`/admin/app/${platform}/update`, capital(platform), rules.update],
    [`/admin/app/${PROVIDER_NAMES[platform]}`, provider, []],
  ] as const)
    app.route<{ Body: { requestObject: Static<Request> } }>({
      method: ['PUT', 'POST'],
      url,
      config,
      schema: {
        tags,
        description,
        operationId: `update${name}`,
        summary: `Set the ${provider.toUpperCase()} credentials`,
        body: Wrapped(request),
        response: OK_RESPONSES,
      },
      preValidation: enforce(own),
      handler: async ({ body: { requestObject } }) => {
        await update(store, requestObject)
        return OK
      },
    })
}

const removeRoutes =
  (store: Context['store'], { platform, provider, rules }: Paths): FastifyPluginAsyncTypebox =>
  async (app) => {
    const summary = `Remove the ${provider.toUpperCase()} credentials`
    app.route({
      method: ['DELETE', 'POST'],
      url: `/admin/app/${platform}/remove`,
      config,
      schema: {
        tags,
        operationId: `remove${capital(platform)}`,
        summary,
        body: Wrapped(RemoveCredentialsRequest),
        response: OK_RESPONSES,
      },
      preValidation: [bodyFromQuery('appId'), enforce(rules.remove)],
      handler: async ({ body: { requestObject } }) => {
        await removeCredentials(store, requestObject.appId, platform)
        return OK
      },
    })

    app.delete(
      `/admin/app/${PROVIDER_NAMES[platform]}`,
      {
        config: { scope: 'admin', applications: fromQuery('appId') },
        schema: {
          tags,
          operationId: `remove${provider}`,
          summary,
          querystring: RemoveCredentialsRequest,
          response: OK_RESPONSES,
        },
      },
      async ({ query: { appId } }) => {
        await removeCredentials(store, appId, platform)
        return OK
      },
    )
  }

const ios: CredentialsKind<typeof UpdateIosRequest> = {
  platform: 'ios',
  provider: 'Apns',
  request: UpdateIosRequest,
  rules: {
    update: [
      ...named,
      notEmpty('bundle', TEXT.bundleMissing),
      notEmpty('keyId', TEXT.keyIdMissing),
      notEmpty('teamId', TEXT.teamIdMissing),
      notEmpty('privateKeyBase64', TEXT.privateKeyMissing),
    ],
    remove: named,
  },
  update: updateIos,
}
const android: CredentialsKind<typeof UpdateAndroidRequest> = {
  platform: 'android',
  provider: 'Fcm',
  request: UpdateAndroidRequest,
  rules: {
    update: [
      ...named,
      notEmpty('projectId', TEXT.projectIdMissing),
      notEmpty('privateKeyBase64', TEXT.privateKeyMissing),
    ],
    remove: named,
  },
  update: updateAndroid,
}
/** Came later than the others: even its older paths report errors by field. */
const huawei: CredentialsKind<typeof UpdateHuaweiRequest> = {
  platform: 'huawei',
  provider: 'Hms',
  request: UpdateHuaweiRequest,
  rules: { update: [], remove: [] },
  update: updateHuawei,
}

export const credentialsRoutes =
  ({ store }: Context) =>
  async (app: FastifyInstance) => {
    updateRoutes(app, store, ios)
    updateRoutes(app, store, android)
    updateRoutes(app, store, huawei)
    for (const kind of [ios, android, huawei]) await app.register(removeRoutes(store, kind))
  }
